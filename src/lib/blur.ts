/** The two kinds of blurs that stand for a picture until it is there. Their letters say nothing else. */

const BLURHASH = /^[\w#$%*+,\-.:;=?@[\]^{|}~]{6,200}$/
const THUMBHASH = /^[A-Za-z0-9+/]{4,60}={0,2}$/

export const isBlurhash = (text: string): boolean => BLURHASH.test(text)
export const isThumbhash = (text: string): boolean => THUMBHASH.test(text)
