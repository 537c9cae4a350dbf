/** Lines for the server's own config, ready to paste. */
import { block } from '../../settings/questions'

export interface Component { domain: string; port: number; secret: string }

const PROSODY_PORT = 5347 // Prosody's default

export const prosodySnippet = ({ domain, port, secret }: Component): string => [
  'At the end of Prosody\'s prosody.cfg.lua, then restart Prosody:',
  block(`Component "${domain}"\n  component_secret = "${secret}"`),
  ...port === PROSODY_PORT ? [] : ['And above its first VirtualHost:', block(`component_ports = { ${port} }`)]
].join('\n\n')

export const ejabberdSnippet = ({ domain, port, secret }: Component): string =>
  `In ejabberd's ejabberd.yml, add to the list "listen", then reload ejabberd:

${block(`listen:
  -
    port: ${port}
    ip: "127.0.0.1"
    module: ejabberd_service
    access: all
    hosts:
      "${domain}":
        password: "${secret}"`)}`

/** For advice about a server whose config is known but whose secret must not be shown. */
export const SECRET_OF_CONFIG = '(xmpp.component.secret of the config)'
