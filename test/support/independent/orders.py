"""What the three people have in common: each reads orders and writes what it sees, a line of JSON each. `{"do": "say", …}` calls `do_say(…)`."""
import asyncio
import json
import sys

OUT, sys.stdout = sys.stdout, sys.stderr  # a library that prints something says it in the log


def show(what, **more):
    print(json.dumps({'saw': what, **more}), file=OUT, flush=True)


async def obey(person):
    """Until nobody gives orders any more. An order that fails is shown, and the next one is done."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        order = json.loads(line)
        try:
            await getattr(person, 'do_' + order.pop('do'))(**order)
        except Exception as error:
            show('failed', why=repr(error), order=line.decode())
