/** All statements together. */
import { makeAhead } from './ahead'
import { makeDeskTx } from './desk-tx'
import { makeErasingTx } from './erasing-tx'
import { makeJournalTx } from './journal-tx'
import { makeKeptTx } from './kept-tx'
import { makeOperatorTx } from './operator-tx'
import { makeOutboxTx } from './outbox-tx'
import { makePagesTx } from './pages-tx'
import { makePersonTx } from './person-tx'
import { makeReactionsTx } from './reactions-tx'
import { makeReceiptsTx } from './receipts-tx'
import type { Sql } from './sql'
import type { Tx } from './store'
import { makeTally } from './tally-tx'

/** `tally`: takes what is counted; without it, that is only read. */
export const makeTx = (sql: Sql, sealKey: string, tally = makeTally(sql), ahead = makeAhead(sql)): Tx => ({
  tally: tally.tx, pages: makePagesTx(sql),
  desk: makeDeskTx(sql, sealKey), person: { ...makePersonTx(sql), ...makeErasingTx(sql, tally.tx) },
  ...makeJournalTx(sql, ahead), ...makeOutboxTx(sql), ...makeReactionsTx(sql), ...makeReceiptsTx(sql, ahead), ...makeKeptTx(sql),
  ...makeOperatorTx(sql)
})
