/** Zentrale's own words to people. */
import type { FileTrouble, Forbidden, Unsealed } from '../model/errors'
import type { Shown, Unreadable } from '../model/message'
import type { How } from './expelled'

export type Language = 'de' | 'en'

export interface Texts {
  failed (where: string, excerpt: string, why: string): string
  unknown (where: string, excerpt: string): string
  waits (where: string, excerpt: string): string // nobody of ours has a voice there
  unsealed (where: string, excerpt: string, why: Unsealed): string
  behind (where: string, excerpt: string, why: Unsealed): string // what cannot be encrypted
  sealing (why: Unsealed): string // why nothing can be encrypted
  partFailed (where: string, excerpt: string, part: number, parts: number, why: string): string
  stopped: string
  started: string
  ended: string
  howToVote: string // below a poll, where some apps can reply
  howToVoteAlone: string // where none can
  lateVote: string
  unreadable: Record<Unreadable, string> // in place of the message
  notCarried (what: Unreadable): string // to its writer
  left (name: string): string
  returned (name: string): string
  isOut (where: string): string
  isEncrypted (where: string): string
  isBack (where: string): string
  isBackHere: string
  unmirrored: string // the place is in no mirror any more
  hasMoved (where: string, to: string): string
  isEncryptedHere: string
  unreadStays: string // what waits for its key
  isSealed (where: string): string
  isSealedHere: string
  onlyTwo: string
  masked (minutes: number): string // below a message with a one-time code
  noChat: string
  rests: string
  hasEnded: string
  refused: string
  encrypted: string
  moved: string
  parted: string
  nobody: string
  replaced: string
  voiceless: string
  absent: string
  crowded: string
  populous: string
  tooLong: string
  gaveUp: string
  stays (where: string): string
  /** To the moderators of another place. */
  staysThere (where: string): string
  wasRemoved: string
  wasTakenBack: string
  isUnknown: string // what is to be taken back
  tooManyReactions (most: number): string
  reactedInVain: Record<'replaced' | 'moved', (where: string) => string>
  notShown (what: Shown['what'], where: string): string
  /** To the moderators who did it. */
  expelled: Record<How, (name: string) => string>
  /** To whoever is not heard there: why. */
  isExpelled: Record<How, string>
  /** On phones, to whoever said what is reacted to. Plain quotation marks, because others may cost. */
  reacted (emojis: string, name: string, excerpt: string): string
  /** What a reader gets instead of a file. */
  instead (name: string, url: string | undefined): string
  /** What its writer is told. `why`: undefined if the destination did not take it. */
  noFile (name: string, why: FileTrouble | undefined, linked: boolean): string
}

/** Why nothing can be encrypted. */
const NOT_SEALED: Record<Language, Record<Unsealed, string>> = {
  de: {
    deviceless: 'dort ist gerade kein Gerät bekannt, das es lesen könnte',
    keyless: 'die Schlüssel der Geräte dort sind gerade nicht zu bekommen',
    unsigned: 'die Schlüssel der Geräte dort sind falsch unterschrieben: Eine App dort ist fehlerhaft, oder jemand hat ihr fremde ' +
      'Schlüssel untergeschoben',
    rekeyed: 'ein Gerät dort hat einen anderen Schlüssel als bisher; es geht weiter, sobald der Kontakt von dort schreibt',
    clear: 'der Kontakt hat verschlüsselt geschrieben, und sein Chat von jetzt ist es nicht; es geht weiter, sobald er dort verschlüsselt ist'
  },
  en: {
    deviceless: 'no device is known there now that could read it',
    keyless: 'the keys of the devices there cannot be had now',
    unsigned: 'the keys of the devices there have a wrong signature: an app there is faulty, or somebody has put keys of their own in its place',
    rekeyed: 'a device there has another key than before; it goes on once the contact writes from it',
    clear: 'the contact wrote with encryption, and the chat that they have now is not encrypted; it goes on once it is'
  }
}

const de: Texts = {
  failed: (where, excerpt, why) => `Nicht zugestellt an ${where}: „${excerpt}“ (${why})`,
  unknown: (where, excerpt) => `Vielleicht nicht zugestellt an ${where}: „${excerpt}“. Bitte fragen Sie nach, ob es angekommen ist.`,
  waits: (where, excerpt) => `Noch nicht zugestellt an ${where}: „${excerpt}“. Von hier darf dort noch niemand sprechen; ` +
    'das muss die Moderation dort erst erlauben. Alles wartet so lange.',
  unsealed: (where, excerpt, why) => `Noch nicht zugestellt an ${where}: „${excerpt}“. Dorthin geht nichts unverschlüsselt, und ` +
    `${NOT_SEALED.de[why]}. Zentrale versucht es weiter; was inzwischen dorthin gesagt wird, wartet ebenfalls.`,
  behind: (where, excerpt, why) => `Noch nicht zugestellt an ${where}: „${excerpt}“. Davor wartet etwas, das nur verschlüsselt dorthin geht, und ` +
    `${NOT_SEALED.de[why]}. Zentrale versucht es weiter.`,
  sealing: why => `dorthin geht nichts unverschlüsselt, und ${NOT_SEALED.de[why]}`,
  partFailed: (where, excerpt, part, parts, why) =>
    `Nicht${parts > 1 ? ' ganz' : ''} zugestellt an ${where}: „${excerpt}“ (${parts > 1 ? `Teil ${part} von ${parts}: ` : ''}${why})`,
  stopped: 'Sie erhalten keine Nachrichten mehr von uns. Wenn Sie wieder welche erhalten möchten, senden Sie START.',
  howToVote: 'Abstimmen: Senden Sie gleich nur die Nummer, oder antworten Sie damit auf diese Nachricht.',
  howToVoteAlone: 'Abstimmen: Senden Sie nur die Nummer.',
  lateVote: 'Eine Zahl allein zählt nur gleich nach der Umfrage als Stimme. Später antworten Sie bitte mit der Nummer auf die Umfrage.',
  unreadable: {
    encrypted: '⚠ [verschlüsselte Nachricht, die hier nicht gelesen werden kann]', poll: '⚠ [Umfrage, die hier nicht gezeigt werden kann]',
    call: '⚠ [Anruf, der hier nicht angenommen werden kann]', file: '⚠ [Datei, die hier nicht geöffnet werden kann]',
    track: '⚠ [Live-Standort, der hier nicht gezeigt werden kann]',
    kind: '⚠ [Nachricht einer Art, die hier nicht gelesen werden kann]'
  },
  notCarried: what => what === 'call' ? 'Nicht weitergegeben: Anrufe können hier nicht angenommen werden. Bitte schreiben Sie.'
    : what === 'track' ? 'Nicht weitergegeben: Live-Standorte können hier nicht gezeigt werden. Bitte senden Sie den Standort als Nachricht.'
      : `Nicht weitergegeben: ${{
        encrypted: 'verschlüsselte Nachrichten können', poll: 'diese Umfrage kann', file: 'diese Datei kann', kind: 'Nachrichten dieser Art können'
      }[what]} hier nicht gelesen werden. Bitte schreiben Sie es als Text.`,
  ended: 'Sie haben unsere Nachrichten mit STOP abbestellt, darum antworten wir Ihnen hier nicht. Wenn Sie Antworten möchten, senden Sie START.',
  started: 'Sie erhalten wieder Nachrichten von uns. Wenn Sie keine mehr möchten, senden Sie STOP.',
  left: name => `${name} bekommt keine Nachrichten mehr (STOP).`,
  returned: name => `${name} bekommt wieder Nachrichten (START).`,
  isOut: where => `Die Verbindung zum Raum auf ${where} ruht, weil Zentrale nicht mehr dort ist. ` +
    'Nachrichten kommen bis auf Weiteres in keiner Richtung an.',
  isEncrypted: where => `Die Verbindung zum Raum auf ${where} ruht, weil er verschlüsselt ist. ` +
    'Nachrichten kommen bis auf Weiteres in keiner Richtung an.',
  isBack: where => `Die Verbindung zum Raum auf ${where} besteht wieder. Was inzwischen geschrieben wurde, kommt erst jetzt an oder gar nicht.`,
  isBackHere: 'Zentrale verbindet diesen Raum wieder mit anderen. Was inzwischen geschrieben wurde, kommt erst jetzt an oder gar nicht.',
  unmirrored: 'Zentrale verbindet diesen Raum nicht mehr mit anderen. Was hier geschrieben wird, bleibt hier.',
  hasMoved: (where, to) => `Der Raum auf ${where} ist umgezogen. Er ist jetzt ${to}.`,
  isEncryptedHere: 'Dieser Raum ist verschlüsselt. Verschlüsselte Nachrichten können nicht in andere Netze übertragen werden: Was hier ' +
    'geschrieben wird, kommt dort vorerst nicht an, und von dort kommt hier nichts an. Ein Raum ohne Verschlüsselung kann gespiegelt werden.',
  unreadStays: 'Auch was schon geschrieben war, aber noch nicht gelesen werden konnte, kommt vorerst nicht an.',
  isSealed: where => `Der Raum auf ${where} ist verschlüsselt. Die Verschlüsselung endet bei Zentrale: Was dort geschrieben wird, steht hier ohne ` +
    'sie, und was hier geschrieben wird, ist bis dorthin nicht von Anfang an verschlüsselt.',
  isSealedHere: 'Dieser Raum ist verschlüsselt. Die Verschlüsselung endet bei Zentrale: Sie liest mit, und in den anderen Netzen steht ohne ' +
    'Verschlüsselung, was hier geschrieben wird.',
  masked: minutes => `🔑 Ein Einmalcode ist hier verdeckt. Wer Zentrale betreibt, kann ihn ${minutes} Minuten lang einmal zeigen: zentrale codes`,
  onlyTwo: 'Nicht weitergegeben: Dieser Chat verbindet nur zwei Personen, und Sie sind keine von beiden.',
  noChat: 'Nicht zugestellt: Für Sie ist kein Chat mit diesem Kontakt eingerichtet.',
  rests: 'die Verbindung dorthin ruht',
  hasEnded: 'dort wurden alle Nachrichten mit STOP abbestellt',
  refused: 'vom Empfänger abgelehnt',
  encrypted: 'der Chat dort ist verschlüsselt, und von hier geht dorthin nichts verschlüsselt',
  absent: 'die Person ist gerade nicht in ihrem Raum, und nur dort ist sie bekannt; bitte später noch einmal schreiben',
  crowded: 'den Chat dort könnten auch andere lesen; weiter geht es, wenn Ihr Kontakt einen neuen mit Ihnen allein beginnt',
  populous: 'dort wird verschlüsselt, und es sind zu viele Personen oder Geräte dafür',
  moved: 'der Kontakt hat den Chat verlassen, in dem das steht, und sieht die Änderung nicht; bitte neu schreiben',
  parted: 'die Person hat den Chat verlassen oder die Einladung dazu abgelehnt',
  nobody: 'unter dieser Adresse ist niemand zu erreichen; vielleicht ist sie falsch geschrieben',
  replaced: 'das, worauf es sich bezieht, steht dort in einem früheren Raum',
  voiceless: 'Sie haben dort noch kein Rederecht; bis die Moderation es Ihnen gibt, kommt nichts von Ihnen dort an',
  tooLong: 'zu lang',
  gaveUp: 'zu lange nicht erreichbar',
  stays: where => `Hier gelöscht, aber nicht überall: Bei ${where} steht die Nachricht noch.`,
  staysThere: where => `Was die Moderation hier entfernt, steht bei ${where} noch: Dort darf Zentrale keine Nachrichten anderer entfernen.`,
  wasRemoved: 'Diese Nachricht hat die Moderation in einem anderen Raum entfernt. Änderungen an ihr werden nicht mehr weitergegeben.',
  isUnknown: 'Nicht weitergegeben: Zentrale weiß nicht (mehr), welche Nachricht hier gelöscht werden soll. Anderswo steht sie vielleicht noch.',
  wasTakenBack: 'Nicht weitergegeben: Diese Nachricht wurde gelöscht. Bitte schreiben Sie den Text neu.',
  tooManyReactions: most => `Mehr als ${most} Reaktionen einer Person auf eine Nachricht werden nicht weitergegeben.`,
  reactedInVain: {
    replaced: where => `Ihre Reaktion ist auf ${where} nicht zu sehen: Die Nachricht steht dort in einem früheren Raum.`,
    moved: where => `Ihre Reaktion ist nicht zu sehen: ${where} hat den Chat verlassen, in dem die Nachricht steht.`
  },
  notShown: (what, where) => `${{ topic: 'Das neue Thema', name: 'Der neue Name', picture: 'Das neue Bild' }[what]} gilt nur hier: ${{
    topic: 'Zentrale darf das Thema', name: 'Zentrale darf den Namen', picture: 'Das Bild ist zu groß, oder Zentrale darf das Bild'
  }[what]} des Raums auf ${where} nicht ändern. Das wird nur einmal gesagt.`,
  expelled: {
    kicked: name => `${name} wurde hier entfernt. Eine Stunde lang kommt nichts mehr von dieser Person hierher, es sei denn, jemand lädt sie ` +
      'vorher wieder ein. Soll es länger dauern, sperren Sie sie (Bann).',
    banned: name => `${name} ist hier gesperrt. Von dieser Person kommt nichts mehr hierher, bis die Sperre aufgehoben ist.`,
    muted: name => `${name} darf hier nicht mehr sprechen. Von dieser Person kommt nichts mehr hierher, bis sie das Rederecht wieder hat.`
  },
  isExpelled: {
    kicked: 'dort wurden Sie von der Moderation für eine Stunde entfernt; so lange kommt nichts von Ihnen dort an',
    banned: 'dort hat die Moderation Sie gesperrt; bis das aufgehoben ist, kommt nichts von Ihnen dort an',
    muted: 'dort hat die Moderation Ihnen das Rederecht genommen; bis Sie es wieder haben, kommt nichts von Ihnen dort an'
  },
  reacted: (emojis, name, excerpt) => `${emojis} von ${name}${excerpt === '' ? '' : `: "${excerpt}"`}`,
  instead: (name, url) => url === undefined ? `[Die Datei „${name}“ ließ sich nicht holen.]`
    : `${name}: ${url} (Die Datei ließ sich gerade nicht holen. Unter diesem Link geht es vielleicht später.)`,
  noFile: (name, why, linked) => {
    const linkedText = linked ? ' An ihrer Stelle steht ein Link.' : ''
    switch (why) {
      case 'gone': return `Die Datei „${name}“ ließ sich nicht holen: Es gibt sie dort nicht (mehr). Weitergegeben wurde nur ihr Name.`
      case 'large': return `Die Datei „${name}“ ist zu groß. Weitergegeben wurde nur ihr Name.`
      case 'forbidden':
        return `Die Datei „${name}“ ließ sich nicht holen: Ihr Link führt zu keiner öffentlichen Adresse. Weitergegeben wurde nur ihr Name.`
      case 'broken': return `Die Datei „${name}“ ließ sich nicht entschlüsseln: unterwegs verändert, oder Schlüssel oder Prüfsumme fehlt. ` +
        'Weitergegeben wurde nur ihr Name.'
      case 'unreachable': return `Die Datei „${name}“ ließ sich nicht holen: Ihr Server antwortet nicht.${linkedText}`
      case undefined: return `Die Datei „${name}“ wurde beim Empfänger nicht angenommen.${linkedText}`
    }
  }
}

const en: Texts = {
  failed: (where, excerpt, why) => `Not delivered to ${where}: “${excerpt}” (${why})`,
  unknown: (where, excerpt) => `Perhaps not delivered to ${where}: “${excerpt}”. Please ask whether it arrived.`,
  waits: (where, excerpt) => `Not delivered to ${where} yet: “${excerpt}”. Nobody from here may speak there before the moderators there allow it. ` +
    'Everything waits until then.',
  unsealed: (where, excerpt, why) => `Not delivered to ${where} yet: “${excerpt}”. Nothing goes there without encryption, and ` +
    `${NOT_SEALED.en[why]}. Zentrale goes on trying; what is said there meanwhile waits too.`,
  behind: (where, excerpt, why) => `Not delivered to ${where} yet: “${excerpt}”. Something before it goes there only encrypted, and ` +
    `${NOT_SEALED.en[why]}. Zentrale goes on trying.`,
  sealing: why => `nothing goes there without encryption, and ${NOT_SEALED.en[why]}`,
  partFailed: (where, excerpt, part, parts, why) =>
    `Not${parts > 1 ? ' fully' : ''} delivered to ${where}: “${excerpt}” (${parts > 1 ? `part ${part} of ${parts}: ` : ''}${why})`,
  stopped: 'You will get no more messages from us. Send START to get them again.',
  howToVote: 'To vote, send only the number now, or reply to this message with it.',
  howToVoteAlone: 'To vote, send only the number.',
  lateVote: 'A number alone counts as a vote only right after the poll. Later, reply to the poll with the number.',
  unreadable: {
    encrypted: '⚠ [an encrypted message that cannot be read here]', poll: '⚠ [a poll that cannot be shown here]',
    call: '⚠ [a call that cannot be taken here]', file: '⚠ [a file that cannot be opened here]',
    track: '⚠ [a live location that cannot be shown here]',
    kind: '⚠ [a message of a kind that cannot be read here]'
  },
  notCarried: what => what === 'call' ? 'Not passed on: calls cannot be taken here. Please write.'
    : what === 'track' ? 'Not passed on: live locations cannot be shown here. Please send the location as a message.'
      : `Not passed on: ${{
        encrypted: 'encrypted messages', poll: 'this poll', file: 'this file', kind: 'messages of this kind'
      }[what]} cannot be read here. Please write it as text.`,
  ended: 'You have ended everything with STOP, so we do not answer you here. Send START to get answers again.',
  started: 'You get messages from us again. Send STOP to end them.',
  left: name => `${name} gets no more messages (STOP).`,
  returned: name => `${name} gets messages again (START).`,
  isOut: where => `The connection to the room on ${where} is paused, because Zentrale is no longer in it. ` +
    'For now, messages arrive in neither direction.',
  isEncrypted: where => `The connection to the room on ${where} is paused, because that room is encrypted. ` +
    'For now, messages arrive in neither direction.',
  isBack: where => `The connection to the room on ${where} works again. What was written meanwhile arrives only now, or not at all.`,
  isBackHere: 'Zentrale connects this room with others again. What was written meanwhile arrives only now, or not at all.',
  unmirrored: 'Zentrale no longer connects this room with others. What is written here stays here.',
  hasMoved: (where, to) => `The room on ${where} has moved. It is now ${to}.`,
  isEncryptedHere: 'This room is encrypted. Encrypted messages cannot be carried to other networks: for now, nothing that is said here ' +
    'arrives there, and nothing from there arrives here. A room without encryption can be mirrored.',
  unreadStays: 'What was written before but could not be read yet does not arrive for now either.',
  isSealed: where => `The room on ${where} is encrypted. Encryption ends at Zentrale: what is said there stands here without it, and what is said ` +
    'here is not encrypted from the beginning.',
  isSealedHere: 'This room is encrypted. Encryption ends at Zentrale: it reads along, and what is said here stands in the other networks without ' +
    'encryption.',
  masked: minutes => `🔑 A one-time code is masked here. Whoever runs Zentrale can show it once, for ${minutes} minutes: zentrale codes`,
  onlyTwo: 'Not passed on: this chat is between two people only, and you are neither of them.',
  noChat: 'Not delivered: you cannot have a chat with this contact here.',
  rests: 'the connection to it is paused',
  hasEnded: 'everything there was ended with STOP',
  refused: 'refused by the destination',
  encrypted: 'that chat is encrypted, and nothing goes there encrypted from here',
  absent: 'this person is not in their room now, and is known only there; please write again later',
  crowded: 'others could read that chat; it goes on when your contact begins a new one with you alone',
  populous: 'it must be encrypted there, and there are too many people or devices for that',
  moved: 'the contact has left the chat in which it stands, and does not see the change; please write it again',
  parted: 'this person has left the chat, or declined the invitation to it',
  nobody: 'nobody can be reached at this address; perhaps it is misspelt',
  replaced: 'what it refers to is in a room there that was replaced',
  voiceless: 'you may not speak there yet; until the moderators allow it, nothing you write arrives there',
  tooLong: 'too long',
  gaveUp: 'not reachable for too long',
  stays: where => `Deleted here, but not everywhere: the message is still there for ${where}.`,
  staysThere: where => `What moderators remove here is still there for ${where}: Zentrale may not remove messages of others there.`,
  wasRemoved: 'A moderator in another room has removed this message. Changes to it are no longer passed on.',
  isUnknown: 'Not passed on: Zentrale does not know (any more) which message is to be deleted here. It may still stand elsewhere.',
  wasTakenBack: 'Not passed on: this message was deleted. Please write the text again.',
  tooManyReactions: most => `No more than ${most} reactions of one person to one message are passed on.`,
  reactedInVain: {
    replaced: where => `Your reaction is not shown on ${where}: the message is in a room there that was replaced.`,
    moved: where => `Your reaction is not seen: ${where} has left the chat in which the message stands.`
  },
  notShown: (what, where) => `The new ${what} is shown here only: ${what === 'picture' ? 'it is too large, or ' : ''}Zentrale may not change ` +
    `the ${what} of the room on ${where}. This is said only once.`,
  expelled: {
    kicked: name => `${name} was removed here. For an hour nothing from this person arrives here, unless somebody invites them back before. ` +
      'If it should last longer, ban them.',
    banned: name => `${name} is banned here. Nothing from this person arrives here until the ban is lifted.`,
    muted: name => `${name} may no longer speak here. Nothing from this person arrives here until they may speak again.`
  },
  isExpelled: {
    kicked: 'the moderators there removed you for an hour; until then nothing you write arrives there',
    banned: 'the moderators there banned you; until that is lifted nothing you write arrives there',
    muted: 'the moderators there no longer let you speak; until they do, nothing you write arrives there'
  },
  reacted: (emojis, name, excerpt) => `${emojis} from ${name}${excerpt === '' ? '' : `: "${excerpt}"`}`,
  instead: (name, url) => url === undefined ? `[The file “${name}” could not be fetched.]`
    : `${name}: ${url} (The file could not be fetched just now. This link may work later.)`,
  noFile: (name, why, linked) => {
    const linkedText = linked ? ' There is a link in its place.' : ''
    switch (why) {
      case 'gone': return `The file “${name}” could not be fetched: it is not there (any more). Only its name was passed on.`
      case 'large': return `The file “${name}” is too large. Only its name was passed on.`
      case 'forbidden': return `The file “${name}” could not be fetched: its link leads to no public address. Only its name was passed on.`
      case 'broken': return `The file “${name}” could not be decrypted: it was changed on its way, or its key or checksum is missing. Only its ` +
        'name was passed on.'
      case 'unreachable': return `The file “${name}” could not be fetched: its server does not answer.${linkedText}`
      case undefined: return `The file “${name}” was not taken at its destination.${linkedText}`
    }
  }
}

/** Why nothing may be said there, if more is known than the refusal. */
export const reasonOf = (because: Forbidden | undefined, texts: Texts): string =>
  texts[because === undefined || because === 'expelled' ? 'refused' : because]

export const TEXTS: Record<Language, Texts> = { de, en }
