/** What this network itself says to people, in the language of the config. */

export type Language = 'de' | 'en'

/** Words in a stanza, with their language. */
export interface Words { language: Language; text: string }

interface Texts {
  privately: { room: string, team: string }
  noVoice (listener: string): string
  askToStay (listener: string): string
  inviteInside (ours: string): string
  tooMuch: string
  nobody: string
  notNow: string
  inChat: string
  gateway: { about: string, prompt: string, unknown: string, search: string, name: string }
  entrance: { moved (room: string): string, none: string }
}

export const TEXTS: Record<Language, Texts> = {
  de: {
    privately: {
      room: 'Diese private Nachricht hat niemand bekommen: Hier werden keine privaten Nachrichten übertragen. Bitte schreiben Sie im Raum.',
      team: 'Diese private Nachricht hat niemand bekommen. Als private Nachricht werden hier nur Befehle gelesen, zum Beispiel !hilfe. ' +
        'Alles andere bitte im Raum schreiben.'
    },
    noVoice: listener => 'Wer aus anderen Netzen schreibt, darf in diesem Raum noch nicht sprechen, weil er nur für Mitglieder oder ' +
      `moderiert ist. Bitte machen Sie ${listener} zum Administrator dieses Raums. Was geschrieben wurde, wartet so lange.`,
    askToStay: listener => 'Dieser Raum soll einen anderen ersetzen, der mit anderen Netzen verbunden war. Damit die Verbindung hier weitergeht, ' +
      `machen Sie bitte ${listener} zum Mitglied dieses Raums. Sonst verlässt Zentrale ihn in zehn Minuten.`,
    inviteInside: ours => 'Diese Einladung gilt hier nicht: Der Raum hat uns entfernt, und von außen ist nicht zu sehen, ob Sie darin sind. ' +
      `Bitte laden Sie ${ours} aus dem Raum heraus ein. In manchen Apps heißt das: /invite ${ours}`,
    tooMuch: 'In diesem Raum wird gerade mehr geschrieben, als sich übertragen lässt. Ein Teil davon kommt in den anderen Netzen nicht an.',
    nobody: 'Unter dieser Adresse werden keine Nachrichten gelesen; vielleicht ist sie falsch geschrieben. Wenn Sie jemandem aus einem Raum ' +
      'antworten, schreiben Sie bitte dort.',
    inChat: 'Die Antwort steht im Chat, weil er verschlüsselt ist.',
    notNow: 'Nicht zugestellt: Von Ihnen warten hier schon zu viele Nachrichten. Bitte senden Sie diese später noch einmal.',
    gateway: {
      about: 'Geben Sie die Adresse einer Person oder eines Raums in einem anderen Netz ein, zum Beispiel @anna:example.org.', prompt: 'Adresse',
      unknown: 'Das ist keine Adresse, unter der hier jemand erreicht werden kann.', search: 'Öffentliche Adressen suchen', name: 'Name'
    },
    entrance: {
      moved: room => `Diesen Raum gibt es hier unter ${room}. Sie sind dorthin eingeladen.`,
      none: 'Einen solchen Raum gibt es nicht, oder er steht Ihnen von hier aus nicht offen.'
    }
  },
  en: {
    privately: {
      room: 'Nobody got this private message: private messages are not carried here. Please write in the room.',
      team: 'Nobody got this private message. Only commands are read in private messages here, for example !help. ' +
        'Please write everything else in the room.'
    },
    noVoice: listener => 'People who write from other networks may not speak in this room yet, because it is for members only or ' +
      `moderated. Please make ${listener} an admin of this room. What was written waits until then.`,
    askToStay: listener => 'This room is meant to replace another one, which was connected to other networks. For the connection to go on here, ' +
      `please make ${listener} a member of this room. Otherwise Zentrale leaves it in ten minutes.`,
    inviteInside: ours => 'This invitation does not count here: the room has removed us, and nobody outside can see whether you are in it. ' +
      `Please invite ${ours} from inside the room. In some apps that is: /invite ${ours}`,
    tooMuch: 'More is being written in this room than can be carried. Some of it does not reach the other networks.',
    nobody: 'Nobody reads messages at this address; perhaps it is misspelt. If you answer somebody from a room, please write there.',
    inChat: 'The answer is in the chat, because that is encrypted.',
    notNow: 'Not delivered: too many messages from you are still waiting here. Please send this one again later.',
    gateway: {
      about: 'Enter the address of a person or a room on another network, such as @anna:example.org.', prompt: 'Address',
      unknown: 'This is no address at which somebody can be reached here.', search: 'Search public addresses', name: 'Name'
    },
    entrance: {
      moved: room => `This room is here at ${room}. You are invited there.`,
      none: 'There is no such room, or it is not open to you from here.'
    }
  }
}
