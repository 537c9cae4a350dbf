/** The building blocks of config keys: types, limits, and the words that explain them. */
import { z } from 'zod'

/**
 * What people are told about a key. `must` completes the sentence "It must be …". `sample` is YAML for config.sample.yaml, where an optional
 * key is commented out unless it is `live`, and a section of the whole if it is `off`. `instead`: advice when a key that people name
 * themselves is invalid. `wrong`: of a secret, what it is when it is refused.
 */
export interface Told {
  doc: string; must: string; sample?: string; secret?: true; wrong?: string; live?: true; off?: true; instead? (key: string): string
}

export const told = z.registry<Told>()

/** The value of every secret in the sample; refused in a real config. */
export const PLACEHOLDER = 'change-me'

const SECRET_CHARS_MIN = 12

export const text = (doc: string, must: string, sample: string, pattern = /./) =>
  z.string().max(2000).regex(pattern).register(told, { doc, must, sample })
export const whole = (doc: string, least: number, most: number, sample: number) =>
  z.int().min(least).max(most).register(told, { doc, must: `a whole number from ${least} to ${most}`, sample: String(sample) })
export const yes = (doc: string, sample = false) => z.boolean().register(told, { doc, must: 'true or false', sample: String(sample) })
export const choice = <const T extends string>(doc: string, words: [T, ...T[]]) =>
  z.enum(words).register(told, { doc, must: `one of ${words.join(', ')}`, sample: words[0] })
export const secret = (doc: string) => z.string().min(SECRET_CHARS_MIN).max(2000).refine(value => value !== PLACEHOLDER)
  .register(told, { doc, must: `a secret of your own of at least ${SECRET_CHARS_MIN} characters`, sample: PLACEHOLDER, secret: true })
export const password = (doc: string) => z.string().min(1).max(2000).refine(value => value !== PLACEHOLDER)
  .register(told, { doc, must: 'the password that you were given', sample: PLACEHOLDER, secret: true })
export const url = (doc: string, sample: string) => z.url({ protocol: /^https?$/ }).refine(address => !/^[^/]*\/\/[^/?#]*@/.test(address))
  .register(told, { doc, must: 'an address that begins with http:// or https://, without a password in it', sample })
/** A / in a password makes the rest of it a path, which is shown. */
const isCutShort = (address: string): boolean => /^[^/]*\/\/[^/?#]*[/?#].*@/.test(address)
/** A URL that may hold a password, and so is as secret as that. */
export const secretUrl = (doc: string, protocol: RegExp, like: string) => z.url({ protocol }).max(2000)
  .refine(value => !value.includes(PLACEHOLDER) && !isCutShort(value))
  .register(told, {
    doc, must: `a URL such as ${like}, where / ? # @ in a password are written %2F %3F %23 %40`, sample: like.replace('PASSWORD', PLACEHOLDER),
    secret: true, wrong: 'is no such URL'
  })
export const section = <T extends z.ZodRawShape>(doc: string, shape: T) =>
  z.strictObject(shape).register(told, { doc, must: `a section with the keys ${Object.keys(shape).join(', ')}` })
export const list = <T extends z.ZodType>(doc: string, must: string, most: number, item: T, sample?: string) =>
  z.array(item).max(most).register(told, sample === undefined ? { doc, must } : { doc, must, sample })

const HOST = /^[a-zA-Z0-9.:_-]+$/
export const host = (doc: string, sample: string) => text(doc, 'the name or address of a machine', sample, HOST)
export const domain = (doc: string, sample: string) => text(doc, 'a domain name without @ and /', sample, /^[\p{L}\p{M}\p{N}.:_-]+$/u)
export const listen = (doc: string, port: number) => section(doc, {
  host: host('The address of this machine to listen on. 127.0.0.1 can be reached from this machine alone.',
    '127.0.0.1').default('127.0.0.1'),
  port: whole('The port to listen on.', 1, 65535, port).default(port)
})

/** An optional key that is not commented out in the sample. */
export const live = <T extends z.ZodType>(key: T): z.ZodOptional<T> => {
  told.add(key, { ...told.get(key), live: true } as Parameters<typeof told.add<T>>[1])
  return key.optional()
}

/** An optional section that is commented out in the sample. */
export const off = <T extends z.ZodType>(key: T): z.ZodOptional<T> => {
  told.add(key, { ...told.get(key), off: true } as Parameters<typeof told.add<T>>[1])
  return key.optional()
}

/** A key with several forms: text, a list or a section. */
export const either = <T extends readonly [z.ZodType, ...z.ZodType[]]>(doc: string, must: string, forms: T, sample?: string): z.ZodUnion<T> => {
  const union = z.union(forms)
  told.add(union, sample === undefined ? { doc, must } : { doc, must, sample })
  return union
}
/** Lines of a key and a value. `key`: what each key must be. */
export const lines = <T extends z.ZodType>(doc: string, must: string, key: z.ZodType<string, string>, value: T, sample: string) =>
  z.record(key, value).register(told, { doc, must, sample })
