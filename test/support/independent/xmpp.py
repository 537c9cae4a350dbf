"""An XMPP person on slixmpp, an app that is none of ours. Reads commands and writes what it sees: orders.py.

    xmpp.py PORT JID PASSWORD
"""
import asyncio
import io
import sys
import xml.etree.ElementTree as ET
from base64 import b64decode

from orders import obey, show
from slixmpp import ClientXMPP, JID

PLUGINS = ['xep_0030', 'xep_0045', 'xep_0054', 'xep_0060', 'xep_0066', 'xep_0084', 'xep_0085', 'xep_0153', 'xep_0172', 'xep_0184', 'xep_0249',
           'xep_0280', 'xep_0308', 'xep_0333', 'xep_0359', 'xep_0363', 'xep_0424', 'xep_0425', 'xep_0444', 'xep_0461']

REFERENCE = '{urn:xmpp:reference:0}reference'
GEOLOC = 'http://jabber.org/protocol/geoloc'
METADATA = '{urn:xmpp:file:metadata:0}'
SHARING = '{urn:xmpp:sfs:0}'
HAT = '{urn:xmpp:hats:0}hat'
OWNER = '{http://jabber.org/protocol/muc#owner}'
FORM = '{jabber:x:data}x'
THUMBNAIL = '{urn:xmpp:thumbs:1}thumbnail'
GATEWAY = '{jabber:iq:gateway}'
NICK = '{http://jabber.org/protocol/nick}nick'
TARGET = '{http://jabber.org/protocol/url-data}url-data'


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
        self.add_event_handler('groupchat_presence', self.presence)
        self.add_event_handler('presence_error', lambda presence: show(
            'sent on', to=presence['error']['gone'], condition=presence['error']['condition']))
        self.add_event_handler('groupchat_direct_invite', lambda message: show('invited', room=message['groupchat_invite']['jid']))
        self.add_event_handler('receipt_received', lambda message: show('receipt', sender=message['from'].bare, of=message['receipt']))
        self.add_event_handler('carbon_sent', lambda message: show('carbon', text=message['carbon_sent']['body']))
        self.add_event_handler('moderated_message', lambda message: show('removal', room=message['from'].full, of=message['apply_to']['id']))
        self.add_event_handler('message_retract', lambda message: self.about(message, 'retraction', message['apply_to']['id']))
        self.add_event_handler('reactions', self.reactions)
        self.add_event_handler('marker_displayed', lambda message: self.about(message, 'mark', message['displayed']['id']))
        self.add_event_handler('chatstate', lambda message: self.about(message, message['chat_state'], ''))
        self.connect(('127.0.0.1', port), force_starttls=False, disable_starttls=True)

    def online(self):
        self.send_presence()
        show('online')
        self.serving = asyncio.ensure_future(self.serve())  # the loop itself forgets it

    async def serve(self):
        await obey(self)
        await self.disconnect()

    async def do_enter(self, room, nick):
        await self['xep_0045'].join_muc_wait(room, nick, maxstanzas=0, timeout=60)
        show('entered')

    async def do_say(self, room, text):
        self.send_message(room, text, mtype='groupchat')

    async def do_thread(self, room, text, thread):
        message = self.make_message(mto=room, mbody=text, mtype='groupchat')
        message['thread'] = thread
        message.send()

    async def do_title(self, room, subject):
        self['xep_0045'].set_subject(room, subject)

    async def do_put_out(self, room, nick):
        await self['xep_0045'].set_role(JID(room), nick, 'none')

    async def do_remove(self, room, id):
        await self['xep_0425'].moderate(JID(room), id)

    async def do_rename(self, room, nick):
        self.send_presence(pto=f'{room}/{nick}', pfrom=self.boundjid.full)  # without which slixmpp does not know whose picture stands in it

    async def do_ask_for(self, room, nick):
        """Enters a room that is elsewhere."""
        self['xep_0045'].join_muc(room, nick)

    async def do_open(self, room):
        """A new room, as it is by itself: servers lock it until its owner has said so (XEP-0045 §10.1)."""
        iq = self.make_iq_set(ito=room)
        ET.SubElement(ET.SubElement(iq.xml, OWNER + 'query'), FORM, type='submit')
        await iq.send()
        show('opened', room=room)

    async def do_admit(self, room, jid):
        await self['xep_0045'].set_affiliation(JID(room), 'member', jid=JID(jid))

    async def do_destroy(self, room, successor):
        await self['xep_0045'].destroy(JID(room), altroom=JID(successor))

    async def do_look_up(self, gateway, name):
        iq = self.make_iq_set(ito=gateway)
        query = ET.SubElement(iq.xml, GATEWAY + 'query')
        ET.SubElement(query, GATEWAY + 'prompt').text = name
        answer = await iq.send()
        show('looked up', name=name, jid=answer.xml.findtext(f'{GATEWAY}query/{GATEWAY}jid'))

    async def do_upload(self, room, name, kind, base64, width, height, thumbnail=''):
        """Beside the link as all apps know it (XEP-0066) stands what newer ones say of the file (XEP-0447), if it is known."""
        self['xep_0363'].upload_service = f'upload.{self.boundjid.domain}'  # slixmpp 1.8 cannot look for it with today's Python
        url = await self['xep_0363'].upload_file(name, content_type=kind, input_file=io.BytesIO(b64decode(base64)))
        message = self.make_message(mto=room, mbody=url, mtype='groupchat')
        message['oob']['url'] = url
        if width:
            sharing = ET.SubElement(message.xml, SHARING + 'file-sharing', disposition='inline')
            file = ET.SubElement(sharing, METADATA + 'file')
            for field, value in (('media-type', kind), ('name', name), ('size', len(b64decode(base64))), ('width', width), ('height', height)):
                ET.SubElement(file, METADATA + field).text = str(value)
            if thumbnail:
                ET.SubElement(file, THUMBNAIL, {'uri': f'data:image/png;base64,{thumbnail}', 'media-type': 'image/png', 'width': '1', 'height': '1'})
            ET.SubElement(ET.SubElement(sharing, SHARING + 'sources'), TARGET, target=url)
        message.send()

    async def do_picture(self, room, nick, base64):
        await self['xep_0153'].set_avatar(avatar=b64decode(base64), mtype='image/png')
        await self.do_rename(room, nick)

    async def do_look_at(self, who):
        """Their name and picture, as an app asks for them."""
        info = next((await self['xep_0060'].get_items(who, 'urn:xmpp:avatar:metadata')).xml.iter('{urn:xmpp:avatar:metadata}info'))
        data = next((await self['xep_0084'].retrieve_avatar(who, info.get('id'))).xml.iter('{urn:xmpp:avatar:data}data'))
        nick = next((await self['xep_0060'].get_items(who, 'http://jabber.org/protocol/nick')).xml.iter(NICK))
        show('profile', who=who, nick=nick.text, picture=data.text)

    async def do_carbons(self):
        await self['xep_0280'].enable()
        show('carbons')

    async def do_tell(self, to, text):
        message = self.make_message(mto=to, mbody=text, mtype='chat')
        message['id'] = self.new_id()
        message['request_receipt'] = True
        message.send()
        show('sent', text=text, id=message['id'])

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

    async def do_types(self, room, state, chat=False):
        message = self.make_message(mto=room, mtype='chat' if chat else 'groupchat')
        message['chat_state'] = state
        message.send()

    async def do_mark(self, room, id, chat=False):
        message = self.make_message(mto=room, mtype='chat' if chat else 'groupchat')
        message['displayed']['id'] = id
        message.send()

    async def do_members(self, room):
        show('members', names=sorted(self['xep_0045'].get_roster(room)))

    def told(self, message):
        if message['type'] == 'chat' and message['body']:
            reply = message.get_plugin('reply', check=True)
            show('told', sender=message['from'].bare, text=message['body'], id=message['id'], nick=message.xml.findtext(NICK, ''),
                 answers=reply['id'] if reply is not None else '')

    def presence(self, presence):
        item = presence['muc']
        show('here' if presence['type'] != 'unavailable' else 'gone', room=item['room'], name=item['nick'],
             hats=[one.get('title') for one in presence.xml.iter(HAT)],
             picture=presence['vcard_temp_update'].xml.findtext('{vcard-temp:x:update}photo', ''), codes=sorted(item['status_codes']))

    def message(self, message):
        if message['subject'] and not message['body']:
            return
        reply = message.get_plugin('reply', check=True)
        show('message', name=message['mucnick'], sender=message['from'].full, text=message['body'], id=message['id'],
             named=message['stanza_id']['id'], answers=reply['id'] if reply is not None else '', thread=message['thread'],
             file={one.tag.removeprefix(METADATA): one.text for one in message.xml.findall(f'{SHARING}file-sharing/{METADATA}file/{METADATA}*')},
             thumbnails=[dict(one.attrib) for one in message.xml.iter(THUMBNAIL)],
             calls=[one.get('uri') for one in message.xml.iter(REFERENCE) if one.get('type') == 'mention'],
             lat=message.xml.findtext('{%s}geoloc/{%s}lat' % (GEOLOC, GEOLOC), ''), link=message['oob']['url'], corrects=message['replace']['id'])

    def about(self, message, what, of):
        show(what, name=message['from'].resource, sender=message['from'].bare, of=of, text=message['body'])

    def reactions(self, message):
        show('reactions', name=message['from'].resource, of=message['reactions']['id'],
             emojis=sorted(one['value'] for one in message['reactions']['substanzas']))


Person(int(sys.argv[1]), sys.argv[2], sys.argv[3]).process(forever=False)
