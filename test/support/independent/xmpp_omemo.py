"""An XMPP person who encrypts with OMEMO, on slixmpp-omemo, an app that is none of ours. Reads commands and writes what it sees: orders.py.

    xmpp_omemo.py PORT JID PASSWORD FOLDER
"""
import asyncio
import base64
import json
import os
import sys
import xml.etree.ElementTree as ET

from orders import obey, show
from omemo.storage import Just, Nothing, Storage
from slixmpp import ClientXMPP, JID
from slixmpp.plugins import register_plugin
from slixmpp_omemo import TrustLevel, XEP_0384
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PLUGINS = ['xep_0030', 'xep_0060', 'xep_0085', 'xep_0163', 'xep_0184', 'xep_0280', 'xep_0308', 'xep_0333', 'xep_0334', 'xep_0359', 'xep_0380',
           'xep_0424', 'xep_0444', 'xep_0461']
AXOLOTL = 'eu.siacs.conversations.axolotl'


class Folder(Storage):
    def __init__(self, path):
        super().__init__()
        self.path = path
        self.all = json.load(open(path)) if os.path.exists(path) else {}

    def keep(self):
        with open(self.path + '.new', 'w') as file:
            json.dump(self.all, file)
        os.replace(self.path + '.new', self.path)

    async def _load(self, key):
        return Just(self.all[key]) if key in self.all else Nothing()

    async def _store(self, key, value):
        self.all[key] = value
        self.keep()

    async def _delete(self, key):
        self.all.pop(key, None)
        self.keep()


class Omemo(XEP_0384):
    default_config = {'path': '', 'fallback_message': 'This message is encrypted.'}

    def plugin_init(self):
        self.folder = Folder(self.path)
        super().plugin_init()

    @property
    def storage(self):
        return self.folder

    @property
    def _btbv_enabled(self):
        return True

    async def _devices_blindly_trusted(self, devices, identifier):
        pass

    async def _prompt_manual_trust(self, devices, identifier):
        manager = await self.get_session_manager()
        for device in devices:
            await manager.set_trust(device.bare_jid, device.identity_key, TrustLevel.TRUSTED.value)


register_plugin(Omemo)


class Person(ClientXMPP):
    def __init__(self, port, jid, password, folder):
        super().__init__(jid, password)
        for plugin in PLUGINS:
            self.register_plugin(plugin)
        self.register_plugin('xep_0384', {'path': os.path.join(folder, 'keys.json')}, module=sys.modules[__name__])
        self.add_event_handler('session_start', lambda _: self.begin(self.online()))
        self.add_event_handler('failed_auth', lambda _: show('refused'))
        self.add_event_handler('message', lambda message: self.begin(self.message(message)))
        self.add_event_handler('receipt_received', lambda message: show('receipt', of=message['receipt']))
        self.add_event_handler('reactions', self.reactions)
        self.add_event_handler('message_retract', lambda message: show('retraction', of=message['retract']['id']))
        self.held = None
        self.tasks = set() # the loop itself forgets them
        self.turn = asyncio.Lock()
        self.enable_plaintext, self.enable_starttls, self.enable_direct_tls = True, False, False
        self.plugin['feature_mechanisms'].unencrypted_plain = True
        self.connect('127.0.0.1', port)

    def begin(self, work):
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def online(self):
        await self.plugin['xep_0384'].get_session_manager()
        self.send_presence()
        show('online')
        self.begin(self.serve())

    async def serve(self):
        await obey(self)
        self.disconnect()

    async def encrypted(self, to, text):
        message = self.make_message(mto=JID(to), mtype='chat', mbody=text)
        message['id'] = self.new_id()
        sealed, errors = await self.plugin['xep_0384'].encrypt_message(message, JID(to))
        if sealed is None or errors:
            raise RuntimeError(f'not encrypted: {errors}')
        return sealed

    def give(self, sealed, text, count=1):
        if self.held is not None:
            self.held.append(sealed)
        else:
            for _ in range(count):
                sealed.send()
        show('said', text=text, id=sealed['id'])

    async def do_say(self, to, text, count=1, replies=''):
        sealed = await self.encrypted(to, text)
        sealed.append(ET.Element('{urn:xmpp:receipts}request'))
        if replies:
            reply = ET.Element('{urn:xmpp:reply:0}reply')
            reply.set('id', replies)
            sealed.append(reply)
        self.give(sealed, text, count)

    async def do_correct(self, to, text, id):
        sealed = await self.encrypted(to, text)
        replace = ET.Element('{urn:xmpp:message-correct:0}replace')
        replace.set('id', id)
        sealed.append(replace)
        self.give(sealed, text)

    async def do_react(self, to, id, emojis):
        message = self.make_message(mto=JID(to), mtype='chat')
        self.plugin['xep_0444'].set_reactions(message, id, emojis)
        message.send()

    async def do_takeBack(self, to, id):
        message = self.make_message(mto=JID(to), mtype='chat')
        retract = ET.Element('{urn:xmpp:message-retract:1}retract')
        retract.set('id', id)
        message.append(retract)
        message.send()

    async def do_plain(self, to, text):
        self.make_message(mto=JID(to), mtype='chat', mbody=text).send()

    async def do_hold(self):
        self.held = []

    async def do_release(self, order):
        held, self.held = self.held, None
        for number in order:
            held[number].send()

    async def do_spoil(self, to, text):
        """Says it with a key that was changed on the way."""
        sealed = await self.encrypted(to, text)
        for key in sealed.xml.iter(f'{{{AXOLOTL}}}key'):
            wire = bytearray(base64.b64decode(key.text))
            wire[-12] ^= 1
            key.text = base64.b64encode(bytes(wire)).decode()
        sealed.send()

    async def do_others(self, to, text):
        """Says it to other devices than ours."""
        sealed = await self.encrypted(to, text)
        for key in sealed.xml.iter(f'{{{AXOLOTL}}}key'):
            key.set('rid', '1')
        sealed.send()

    async def do_badKeys(self):
        """Publishes keys with a wrong signature."""
        manager = await self.plugin['xep_0384'].get_session_manager()
        device, _ = await manager.get_own_device_information()
        node = f'{AXOLOTL}.bundles:{device.device_id}'
        items = await self.plugin['xep_0060'].get_items(self.boundjid.bare, node)
        bundle = next(items.xml.iter(f'{{{AXOLOTL}}}bundle'))
        signature = bundle.find(f'{{{AXOLOTL}}}signedPreKeySignature')
        signature.text = base64.b64encode(bytes(64)).decode()
        await self.plugin['xep_0060'].publish(self.boundjid.bare, node, 'current', bundle)
        show('published')

    async def do_keysOf(self, of, device=0):
        items = await self.plugin['xep_0060'].get_items(of, f'{AXOLOTL}.bundles:{device}')
        bundle = next(items.xml.iter(f'{{{AXOLOTL}}}bundle'))
        show('keys', count=len(list(bundle.iter(f'{{{AXOLOTL}}}preKeyPublic'))))

    async def do_devicesOf(self, of):
        items = await self.plugin['xep_0060'].get_items(of, f'{AXOLOTL}.devicelist')
        show('devices', ids=[int(one.get('id')) for one in items.xml.iter(f'{{{AXOLOTL}}}device')])

    async def do_sealFile(self, text):
        nonce, key = os.urandom(12), os.urandom(32)
        sealed = AESGCM(key).encrypt(nonce, text.encode(), None)
        show('sealed', bytes=base64.b64encode(sealed).decode(), secret=(nonce + key).hex())

    async def do_openFile(self, bytes_, secret):
        nonce, key = bytes.fromhex(secret[:24]), bytes.fromhex(secret[24:])
        show('file', text=AESGCM(key).decrypt(nonce, base64.b64decode(bytes_), None).decode())

    async def message(self, message):
        async with self.turn:
            more = {'sender': message['from'].bare, 'id': message['id'], 'corrects': message['replace']['id']}
            if message['type'] == 'error':
                return show('error', why=message['error']['condition'], **more)
            if AXOLOTL not in self.plugin['xep_0384'].is_encrypted(message):
                if message['body']:
                    show('message', text=message['body'], encrypted=False, **more)
                return
            clear = message['body']
            empty = message.xml.find(f'{{{AXOLOTL}}}encrypted/{{{AXOLOTL}}}payload') is None
            try:
                read, _ = await self.plugin['xep_0384'].decrypt_message(message)
                show('empty' if empty else 'message', text=read['body'], encrypted=True, clear=clear, **more)
            except Exception as error:
                show('unreadable', why=repr(error), **more)

    def reactions(self, message):
        show('reactions', of=message['reactions']['id'], emojis=sorted(one['value'] for one in message['reactions']['substanzas']))


Person(int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]).loop.run_forever()
