/** Text in HTML. The only place that knows how: between tags, and in attributes with quotes, it stays what it is. */
const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\'': '&#39;' }

export const escaped = (text: string): string => text.replace(/[&<>"']/g, found => ENTITIES[found] ?? '')
