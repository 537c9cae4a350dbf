CREATE TABLE public.accounts (
    user_id text NOT NULL,
    protocol_id text NOT NULL,
    username text NOT NULL,
    extra_data jsonb
);
CREATE TABLE public.rooms (
    room_id text
);
CREATE TABLE public.admin_rooms (
    room_id text NOT NULL,
    user_id text
)
INHERITS (public.rooms);
CREATE TABLE public.events (
    room_id text NOT NULL,
    matrix_id text NOT NULL,
    remote_id text NOT NULL
);
CREATE TABLE public.ghost_cache (
    user_id text NOT NULL,
    displayname text,
    avatar_url text
);
CREATE TABLE public.group_rooms (
    room_id text NOT NULL,
    protocol_id text,
    room_name text,
    gateway boolean,
    properties jsonb
)
INHERITS (public.rooms);
CREATE TABLE public.im_rooms (
    room_id text NOT NULL,
    user_id text NOT NULL,
    remote_id text NOT NULL,
    protocol_id text NOT NULL
)
INHERITS (public.rooms);
CREATE TABLE public.remote_users (
    user_id text NOT NULL,
    sender_name text,
    protocol_id text,
    extra_data jsonb
);
CREATE TABLE public.schema (
    version integer NOT NULL
);
INSERT INTO public.accounts VALUES ('@anna:zentrale.test', 'xmpp-js', 'anna_zentrale.test@matrix.zentrale.test', '{}');
INSERT INTO public.accounts VALUES ('@anna:zentrale.test', 'prpl-irc', 'anna@irc.example.org', '{"password": "geheim"}');
INSERT INTO public.admin_rooms VALUES ('!admin:zentrale.test', '@anna:zentrale.test');
INSERT INTO public.admin_rooms VALUES ('!intern:zentrale.test', '-internal-');
INSERT INTO public.events VALUES ('!werkstatt:zentrale.test', '$event:zentrale.test', 'stanza-1');
INSERT INTO public.ghost_cache VALUES ('@_bifrost_Bernd=2fwerkstatt=40rooms.zentrale.test:zentrale.test', 'Bernd', NULL);
INSERT INTO public.ghost_cache VALUES ('@_bifrost_J=f6rg=20=28B=fcro=29=2fwerkstatt=40rooms.zentrale.test:zentrale.test', 'Jörg (Büro)', NULL);
INSERT INTO public.ghost_cache VALUES ('@_bifrost_bernd=40zentrale.test:zentrale.test', 'Bernd Beispiel', NULL);
INSERT INTO public.ghost_cache VALUES ('@_bifrost_clara=40example.com:zentrale.test', NULL, NULL);
INSERT INTO public.ghost_cache VALUES ('@_bifrost_irc_dora=40irc.example.org:zentrale.test', 'dora', NULL);
INSERT INTO public.group_rooms VALUES ('!werkstatt:zentrale.test', 'xmpp-js', 'werkstatt@rooms.zentrale.test', false, '{"room": "werkstatt", "handle": "Anna", "server": "rooms.zentrale.test"}');
INSERT INTO public.group_rooms VALUES ('!empfang:zentrale.test', 'xmpp-js', 'empfang@rooms.zentrale.test', false, '{"room": "empfang", "server": "rooms.zentrale.test"}');
INSERT INTO public.group_rooms VALUES ('!lager:zentrale.test', 'prpl-jabber', 'Lager@rooms.zentrale.test', false, '{"room": "Lager", "handle": "Anna", "server": "rooms.zentrale.test"}');
INSERT INTO public.group_rooms VALUES ('!chat:zentrale.test', 'prpl-irc', '#zentrale', false, '{"channel": "#zentrale"}');
INSERT INTO public.group_rooms VALUES ('!offen:zentrale.test', 'xmpp-js', '#offen#zentrale.test@matrix.zentrale.test', true, '{"room_id": "!offen:zentrale.test", "room_alias": "#offen:zentrale.test"}');
INSERT INTO public.im_rooms VALUES ('!direkt:zentrale.test', '@anna:zentrale.test', 'bernd@zentrale.test', 'xmpp-js');
INSERT INTO public.remote_users VALUES ('@anna:zentrale.test', 'werkstatt@rooms.zentrale.test/Anna', 'xmpp-js', '{}');
INSERT INTO public.remote_users VALUES ('@_bifrost_Bernd=2fwerkstatt=40rooms.zentrale.test:zentrale.test', 'werkstatt@rooms.zentrale.test/Bernd', 'xmpp-js', '{}');
INSERT INTO public.remote_users VALUES ('@_bifrost_J=f6rg=20=28B=fcro=29=2fwerkstatt=40rooms.zentrale.test:zentrale.test', 'werkstatt@rooms.zentrale.test/Jörg (Büro)', 'xmpp-js', '{}');
INSERT INTO public.remote_users VALUES ('@_bifrost_bernd=40zentrale.test:zentrale.test', 'bernd@zentrale.test', 'xmpp-js', '{}');
INSERT INTO public.remote_users VALUES ('@_bifrost_clara=40example.com:zentrale.test', 'clara@example.com', 'xmpp-js', '{}');
INSERT INTO public.remote_users VALUES ('@_bifrost_irc_dora=40irc.example.org:zentrale.test', 'dora@irc.example.org', 'prpl-irc', '{}');
INSERT INTO public.schema VALUES (2);
ALTER TABLE ONLY public.admin_rooms
    ADD CONSTRAINT admin_rooms_room_id_key UNIQUE (room_id);
ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT cons_accounts_protousername_unique UNIQUE (protocol_id, username);
ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT cons_accounts_unique UNIQUE (user_id, protocol_id, username);
ALTER TABLE ONLY public.events
    ADD CONSTRAINT cons_mxev_unique UNIQUE (matrix_id, room_id);
ALTER TABLE ONLY public.events
    ADD CONSTRAINT cons_rmev_unique UNIQUE (remote_id, room_id);
ALTER TABLE ONLY public.ghost_cache
    ADD CONSTRAINT ghost_cache_user_id_key UNIQUE (user_id);
ALTER TABLE ONLY public.group_rooms
    ADD CONSTRAINT group_rooms_room_id_key UNIQUE (room_id);
ALTER TABLE ONLY public.im_rooms
    ADD CONSTRAINT im_rooms_room_id_key UNIQUE (room_id);
ALTER TABLE ONLY public.remote_users
    ADD CONSTRAINT remote_users_user_id_key UNIQUE (user_id);
ALTER TABLE ONLY public.schema
    ADD CONSTRAINT schema_version_key UNIQUE (version);
