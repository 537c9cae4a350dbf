"""An XMPP person on slixmpp, an app that is none of ours. Reads commands and writes what it sees: orders.py.

    xmpp.py PORT JID PASSWORD
"""
import asyncio
import sys

from orders import obey, show
from slixmpp import ClientXMPP

PLUGINS = ['xep_0030', 'xep_0045', 'xep_0066', 'xep_0085', 'xep_0308', 'xep_0333', 'xep_0359', 'xep_0424', 'xep_0444', 'xep_0461']

REFERENCE = '{urn:xmpp:reference:0}reference'
GEOLOC = 'http://jabber.org/protocol/geoloc'


class Person(ClientXMPP):
    def __init__(self, port, jid, password):
        super().__init__(jid, password)
        for plugin in PLUGINS:
            self.register_plugin(plugin)
        self.add_event_handler('session_start', lambda _: self.online())
        self.add_event_handler('failed_auth', lambda _: show('refused'))
        self.add_event_handler('groupchat_message', self.message)
        self.add_event_handler('message', self.told)
        self.add_event_handler('groupchat_subject', lambda message: show('subject', text=message['subject']))
        self.add_event_handler('message_correction', lambda message: self.about(message, 'correction', message['replace']['id']))
        self.add_event_handler('message_retract', lambda message: self.about(message, 'retraction', message['apply_to']['id']))
        self.add_event_handler('reactions', self.reactions)
        self.add_event_handler('marker_displayed', lambda message: self.about(message, 'mark', message['displayed']['id']))
        self.add_event_handler('chatstate', lambda message: self.about(message, message['chat_state'], ''))
        self.connect(('127.0.0.1', port), force_starttls=False, disable_starttls=True)

    def online(self):
        self.send_presence()
        show('online')
        asyncio.ensure_future(self.serve())

    async def serve(self):
        await obey(self)
        await self.disconnect()

    async def do_enter(self, room, nick):
        await self['xep_0045'].join_muc_wait(room, nick, maxstanzas=0, timeout=60)
        show('entered')

    async def do_say(self, room, text):
        self.send_message(room, text, mtype='groupchat')

    async def do_tell(self, to, text):
        self.send_message(to, text, mtype='chat')

    async def do_reply(self, room, text, to, id):
        self['xep_0461'].send_reply(to, id, mto=room, mbody=text, mtype='groupchat')

    async def do_correct(self, room, text, id):
        message = self.make_message(mto=room, mbody=text, mtype='groupchat')
        message['replace']['id'] = id
        message.send()

    async def do_takeBack(self, room, id):
        self['xep_0424'].send_retraction(room, id, 'groupchat')

    async def do_react(self, room, id, emojis):
        message = self.make_message(mto=room, mtype='groupchat')
        self['xep_0444'].set_reactions(message, id, emojis)
        message.enable('store')
        message.send()

    async def do_types(self, room, state):
        message = self.make_message(mto=room, mtype='groupchat')
        message['chat_state'] = state
        message.send()

    async def do_mark(self, room, id):
        message = self.make_message(mto=room, mtype='groupchat')
        message['displayed']['id'] = id
        message.send()

    async def do_members(self, room):
        show('members', names=sorted(self['xep_0045'].get_roster(room)))

    def told(self, message):
        if message['type'] == 'chat' and message['body']:
            show('told', sender=message['from'].bare, text=message['body'], id=message['id'])

    def message(self, message):
        if message['subject'] and not message['body']:
            return
        reply = message.get_plugin('reply', check=True)
        show('message', name=message['mucnick'], sender=message['from'].full, text=message['body'], id=message['id'],
             named=message['stanza_id']['id'], answers=reply['id'] if reply is not None else '',
             calls=[one.get('uri') for one in message.xml.iter(REFERENCE) if one.get('type') == 'mention'],
             lat=message.xml.findtext('{%s}geoloc/{%s}lat' % (GEOLOC, GEOLOC), ''), link=message['oob']['url'], corrects=message['replace']['id'])

    def about(self, message, what, of):
        show(what, name=message['from'].resource, of=of, text=message['body'])

    def reactions(self, message):
        show('reactions', name=message['from'].resource, of=message['reactions']['id'],
             emojis=sorted(one['value'] for one in message['reactions']['substanzas']))


Person(int(sys.argv[1]), sys.argv[2], sys.argv[3]).process(forever=False)
