"""A Matrix person on matrix-nio, an app that is none of ours. Reads commands and writes what it sees: orders.py.

    matrix.py HOMESERVER_URL MXID PASSWORD [FOLDER]

With a folder for its keys, it encrypts what is said in encrypted rooms, with libolm.
"""
import asyncio
import sys
from base64 import b64decode

from nio import (AsyncClient, AsyncClientConfig, EnableEncryptionBuilder, LoginResponse, MegolmEvent, ReceiptEvent, RedactionEvent, RoomMemberEvent,
                 RoomMessage, RoomPreset, RoomTopicEvent, TypingNoticeEvent, UnknownEvent)
from nio.crypto import decrypt_attachment, encrypt_attachment
from orders import obey, show

POLL_MS = 10_000


class Person:
    def __init__(self, url, mxid, folder=''):
        config = AsyncClientConfig(encryption_enabled=folder != '', store_sync_tokens=False)
        self.client = AsyncClient(url, mxid, store_path=folder, config=config)
        self.client.add_event_callback(self.unreadable, MegolmEvent)
        self.client.add_event_callback(self.message, RoomMessage)
        self.client.add_event_callback(self.unknown, UnknownEvent)
        self.client.add_event_callback(self.redaction, RedactionEvent)
        self.client.add_event_callback(self.topic, RoomTopicEvent)
        self.client.add_event_callback(self.member, RoomMemberEvent)
        self.client.add_ephemeral_callback(self.typing, TypingNoticeEvent)
        self.client.add_ephemeral_callback(self.receipt, ReceiptEvent)

    async def run(self, password):
        answer = await self.client.login(password)
        if not isinstance(answer, LoginResponse):
            return show('refused', why=str(answer))
        await self.client.sync(timeout=0, full_state=True)
        if self.client.should_upload_keys:
            await self.client.keys_upload()
        show('online')
        listening = asyncio.ensure_future(self.client.sync_forever(timeout=POLL_MS))
        await obey(self)
        listening.cancel()
        await self.client.close()

    async def send(self, room, kind, content):
        sent = await self.client.room_send(room, kind, content, ignore_unverified_devices=True)
        show('sent', id=sent.event_id)

    async def do_enter(self, room):
        await self.client.join(room)
        while room not in self.client.rooms:
            await asyncio.sleep(0.1)
        show('entered', room=room)

    async def do_join(self, alias):
        joined = await self.client.join(alias)
        await self.do_enter(joined.room_id)

    async def do_begin(self, invite):
        made = await self.client.room_create(is_direct=True, preset=RoomPreset.trusted_private_chat, invite=[invite],
                                             initial_state=[EnableEncryptionBuilder().as_dict()])
        while invite not in getattr(self.client.rooms.get(made.room_id), 'users', {}):
            await asyncio.sleep(0.1)
        show('begun', room=made.room_id)

    async def do_sendFile(self, room, name, text):
        sealed, file = encrypt_attachment(text.encode())
        answer, _ = await self.client.upload(lambda *_: sealed, content_type='application/octet-stream', filesize=len(sealed))
        await self.send(room, 'm.room.message', {
            'msgtype': 'm.file', 'body': name, 'info': {'mimetype': 'text/plain', 'size': len(sealed)}, 'file': {'url': answer.content_uri, **file}})

    async def do_openFile(self, base64, key, hash, iv):
        show('file', text=decrypt_attachment(b64decode(base64), key, hash, iv).decode())

    async def do_say(self, room, text):
        await self.send(room, 'm.room.message', {'msgtype': 'm.text', 'body': text})

    async def do_chat(self, invite):
        made = await self.client.room_create(is_direct=True, preset=RoomPreset.trusted_private_chat, invite=[invite])
        while invite not in getattr(self.client.rooms.get(made.room_id), 'users', {}):
            await asyncio.sleep(0.1)
        show('begun', room=made.room_id)

    async def do_call(self, room, text, user):
        await self.send(room, 'm.room.message', {
            'msgtype': 'm.text', 'body': text, 'format': 'org.matrix.custom.html', 'm.mentions': {'user_ids': [user]},
            'formatted_body': f'<a href="https://matrix.to/#/{user}">{text}</a>'})

    async def do_ask(self, room, question, answers):
        poll = {'question': {'org.matrix.msc1767.text': question}, 'kind': 'org.matrix.msc3381.poll.disclosed', 'max_selections': 1,
                'answers': [{'id': one, 'org.matrix.msc1767.text': one} for one in answers]}
        await self.send(room, 'org.matrix.msc3381.poll.start', {'org.matrix.msc1767.text': question, 'org.matrix.msc3381.poll.start': poll})

    async def do_place(self, room, text, geo):
        await self.send(room, 'm.room.message', {'msgtype': 'm.location', 'body': text, 'geo_uri': geo})

    async def do_show(self, room, name, text):
        await self.send(room, 'm.room.message', {
            'msgtype': 'm.file', 'body': name, 'info': {'mimetype': 'text/plain', 'size': len(text)},
            'url': await self.uploaded(text.encode(), 'text/plain')})

    async def uploaded(self, data, kind):
        answer, _ = await self.client.upload(lambda *_: data, content_type=kind, filesize=len(data))
        return answer.content_uri

    async def do_upload(self, room, name, kind, base64, width, height, thumbnail):
        data, small = b64decode(base64), b64decode(thumbnail)
        info = {'mimetype': kind, 'size': len(data), 'w': width, 'h': height, 'thumbnail_url': await self.uploaded(small, 'image/png'),
                'thumbnail_info': {'mimetype': 'image/png', 'size': len(small), 'w': 1, 'h': 1}}
        await self.send(room, 'm.room.message', {'msgtype': 'm.image', 'body': name, 'info': info, 'url': await self.uploaded(data, kind)})

    async def do_thread(self, room, text, root):
        await self.send(room, 'm.room.message', {'msgtype': 'm.text', 'body': text, 'm.relates_to': {
            'rel_type': 'm.thread', 'event_id': root, 'is_falling_back': True, 'm.in_reply_to': {'event_id': root}}})

    async def do_move(self, room):
        """Replaces the room by another one, and asks everybody in there, as apps do."""
        there = set(self.client.rooms[room].users) - {self.client.user_id}
        moved = await self.client.room_upgrade(room, '11')
        for user in sorted(there):
            await self.client.room_invite(moved.room_id, user)
        show('moved', room=moved.room_id)

    async def do_title(self, room, topic):
        await self.client.room_put_state(room, 'm.room.topic', {'topic': topic})

    async def do_put_out(self, room, user):
        await self.client.room_kick(room, user)

    async def do_rename(self, name):
        await self.client.set_displayname(name)

    async def do_picture(self, base64):
        data = b64decode(base64)
        await self.client.set_avatar(await self.uploaded(data, 'image/png'))

    async def do_look_at(self, user):
        profile = await self.client.get_profile(user)
        show('profile', who=user, name=profile.displayname, picture=profile.avatar_url or '', more=profile.other_info)

    async def do_state(self, room, kind):
        state = await self.client.room_get_state(room)
        show('state', kind=kind, contents=[one['content'] for one in state.events if one['type'] == kind])

    async def do_leave(self, room):
        await self.client.room_leave(room)

    async def do_reply(self, room, text, id):
        await self.send(room, 'm.room.message', {'msgtype': 'm.text', 'body': text, 'm.relates_to': {'m.in_reply_to': {'event_id': id}}})

    async def do_correct(self, room, text, id):
        await self.send(room, 'm.room.message', {
            'msgtype': 'm.text', 'body': '* ' + text, 'm.new_content': {'msgtype': 'm.text', 'body': text},
            'm.relates_to': {'rel_type': 'm.replace', 'event_id': id}})

    async def do_react(self, room, id, emoji):
        await self.send(room, 'm.reaction', {'m.relates_to': {'rel_type': 'm.annotation', 'event_id': id, 'key': emoji}})

    async def do_takeBack(self, room, id):
        await self.client.room_redact(room, id)

    async def do_types(self, room, typing):
        await self.client.room_typing(room, typing)

    async def do_compare(self, user, device, fingerprint):
        """Takes the key of a device for verified if its fingerprint is the one that somebody has read out."""
        found = next((one for one in self.client.device_store.active_user_devices(user) if one.device_id == device), None)
        same = found is not None and found.ed25519 == fingerprint
        if same:
            self.client.verify_device(found)
        show('compared', same=same)

    async def do_mark(self, room, id):
        await self.client.update_receipt_marker(room, id)

    async def do_members(self, room):
        there = self.client.rooms[room]
        show('members', names=sorted(there.user_name(user) for user in there.users))

    def message(self, room, event):
        content = event.source['content']
        relates = content.get('m.relates_to') or {}
        show('message', room=room.room_id, name=room.user_name(event.sender), sender=event.sender, text=content.get('body', ''), id=event.event_id,
             answers=(relates.get('m.in_reply_to') or {}).get('event_id', ''), link=content.get('url', ''),
             file=content.get('file'), encrypted=event.decrypted, verified=event.verified,
             kind=content.get('msgtype', ''), info=content.get('info') or {}, in_thread=relates.get('rel_type') == 'm.thread',
             thread=relates.get('event_id', '') if relates.get('rel_type') == 'm.thread' else '',
             calls=(content.get('m.mentions') or {}).get('user_ids', []),
             corrects=relates.get('event_id', '') if relates.get('rel_type') == 'm.replace' else '')

    def topic(self, room, event):
        show('topic', sender=event.sender, text=event.topic)

    def member(self, room, event):
        content = event.content
        show('member', room=room.room_id, user=event.state_key, by=event.sender, is_there=event.membership == 'join', how=event.membership,
             name=content.get('displayname') or '', picture=content.get('avatar_url') or '')

    def unreadable(self, room, event):
        show('unreadable', id=event.event_id)

    def unknown(self, room, event):
        if event.type == 'm.reaction':
            relates = event.source['content'].get('m.relates_to') or {}
            show('reaction', name=room.user_name(event.sender), sender=event.sender, id=event.event_id,
                 of=relates.get('event_id'), emoji=relates.get('key'))

        if event.type == 'org.matrix.msc3381.poll.response':
            content = event.source['content']
            show('vote', name=room.user_name(event.sender), of=content['m.relates_to']['event_id'], answers=content[event.type]['answers'])

    def redaction(self, room, event):
        show('retraction', name=room.user_name(event.sender), of=event.redacts)

    def typing(self, room, event):
        show('typing', names=sorted(room.user_name(user) or user for user in event.users))

    def receipt(self, room, event):
        for one in event.receipts:
            show('mark', name=room.user_name(one.user_id), of=one.event_id)


asyncio.run(Person(sys.argv[1], sys.argv[2], *sys.argv[4:]).run(sys.argv[3]))
