/** `zentrale import bifrost`: reads the store of a matrix-bifrost and says how to take over its rooms. Changes nothing. */
import type { Config } from '../../config/config'
import type { MatrixSection } from '../../networks/matrix/settings'
import type { XmppSettings } from '../../networks/xmpp/joined'
import { writeNew } from '../../operate/new-file'
import { readNedb } from './nedb'
import { readPostgres } from './postgres'
import { configLines, peopleTable, report } from './say'
import { planTakeover } from './takeover'

export interface ImportOrder { store?: string; postgres?: string; portals?: boolean; write?: string; people?: string }

/** Returns the text to print. Throws if the store cannot be read, or if a file to write exists already. */
export const importBifrost = async ({ networks, mirrors }: Pick<Config, 'networks' | 'mirrors'>, order: ImportOrder): Promise<string> => {
  const { matrix, xmpp } = networks as { matrix?: MatrixSection, xmpp?: XmppSettings }
  if (matrix === undefined || xmpp?.component === undefined) {
    throw new Error('The config lacks matrix or xmpp.component: a mirror between them needs both')
  }
  if ((order.store === undefined) === (order.postgres === undefined)) {
    throw new Error('Write one of: --store FOLDER with bifrost\'s NeDB files, --postgres URL of its database')
  }
  const store = order.store === undefined ? await readPostgres(order.postgres!) : await readNedb(order.store)
  const house = {
    domain: matrix.domain, component: xmpp.component.component.domain, bot: `@${matrix.registration.sender_localpart}:${matrix.domain}`,
    notHeardFrom: matrix.notHeardFrom, mirrors
  }
  const takeover = planTakeover(store, house, order.portals === true)
  const lines = configLines(takeover)
  const written = lines === '' ? undefined : order.write
  if (written !== undefined) writeNew(written, `# Of matrix-bifrost's rooms, by "zentrale import bifrost".\n${lines}`)
  if (order.people !== undefined) writeNew(order.people, peopleTable(takeover.known))
  return report(store, takeover, house, order.store === undefined ? 'matrix-bifrost in PostgreSQL' : `matrix-bifrost in ${order.store}`, written)
}
