/** What the other servers' configs need, ready to paste. */

export interface Component { domain: string; port: number; secret: string }

const indented = (text: string): string => text.trim().split('\n').map(line => line === '' ? '' : `    ${line}`).join('\n')

export const synapseSnippet = (registration: string): string => `In Synapse's homeserver.yaml, then restart Synapse:

${indented(`app_service_config_files:\n  - ${registration}`)}

  Synapse must be able to read that file: chgrp matrix-synapse ${registration} && chmod 640 ${registration}`

const PROSODY_PORT = 5347 // what Prosody listens on by itself

export const prosodySnippet = ({ domain, port, secret }: Component): string => [
  'At the end of Prosody\'s prosody.cfg.lua, then restart Prosody:',
  indented(`Component "${domain}"\n  component_secret = "${secret}"`),
  ...port === PROSODY_PORT ? [] : ['And above its first VirtualHost:', indented(`component_ports = { ${port} }`)]
].join('\n\n')

export const ejabberdSnippet = ({ domain, port, secret }: Component): string =>
  `In ejabberd's ejabberd.yml, add to the list "listen", then reload ejabberd:

${indented(`listen:
  -
    port: ${port}
    ip: "127.0.0.1"
    module: ejabberd_service
    access: all
    hosts:
      "${domain}":
        password: "${secret}"`)}`

/** `hook`: our listener with the secret in its path. Without the last line Kannel drops a message when we are down. */
export const kannelSnippet = ({ user, password, hook }: { user: string, password: string, hook: string }): string =>
  `In kannel.conf, then restart bearerbox and smsbox (http-request-retry belongs into the group smsbox that is there):

${indented(`group = sendsms-user
username = ${user}
password = ${password}
max-messages = 10
concatenation = true

group = sms-service
keyword = default
max-messages = 0
get-url = "${hook}/in?id=%I&from=%p&to=%P&text=%b&charset=%C"

group = smsbox
http-request-retry = 1000`)}`

/** For advice about a server whose config is known but whose secret must not be shown. */
export const SECRET_OF_CONFIG = '(xmpp.component.secret of the config)'
