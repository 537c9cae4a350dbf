/** An address for links that open a chat: @ and : stay as they are (RFC 5122). */
export const inUri = (id: string): string => encodeURIComponent(id).replaceAll('%40', '@').replaceAll('%3A', ':')
