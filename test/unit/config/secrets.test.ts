import assert from 'node:assert/strict'
import { chmodSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { stringify } from 'yaml'
import { ConfigError } from '../../../src/settings/problem'
import { loadConfig, registration, type Tree, wholeConfig, write } from '../../support/config'

const CANARY = 'cAnArY-5ecret-5ecret'

/** The refusal of a config and a registration; '' if they are accepted. */
const said = (config: Tree | string, registered: Tree | string = registration()): string => {
  try {
    loadConfig(write(config, registered), {})
    return ''
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
}

/** Every path to a section, a list or a value. */
const paths = (value: unknown, path: (string | number)[] = []): (string | number)[][] => [
  path, ...typeof value === 'object' && value !== null
    ? Object.keys(value).flatMap(key => paths((value as Tree)[key], [...path, Array.isArray(value) ? Number(key) : key])) : []
]

const replaced = (tree: Tree, path: (string | number)[], value: unknown): Tree => {
  const copy = structuredClone(tree)
  path.slice(0, -1).reduce((at: Tree, key) => at[key], copy)[path.at(-1)!] = value
  return copy
}

const SECRETS = [['xmpp', 'component', 'secret'], ['sms', 'gateways', 0, 'password'], ['sms', 'gateways', 1, 'password'],
  ['sms', 'gateways', 1, 'secret'], ['operate', 'token']]
const ODD = ['*', '&', '!', '@', '%', '`', '"', "'", '[', '{', '|', '>', '- ', '? ', '"\\', 'x: ', '"" ', '[] ', '{} ', '}', ']', ',']
const ADDRESSES = [['matrix', 'homeserver_url'], ['media', 'public_url'], ['sms', 'gateways', 1, 'send_url'], ['sms', 'gateways', 1, 'public_url']]

describe('what is said of a config', () => {
  it('holds no secret that stands where a section or a list belongs', () => {
    const whole = wholeConfig()
    for (const path of paths(whole).slice(1)) {
      const there = path.reduce((at: Tree, key) => at[key], whole)
      if (typeof there === 'object') assert.ok(!said(replaced(whole, path, CANARY)).includes(CANARY), path.join('.'))
    }
  })

  it('holds no secret in another form than text, or at odds with what YAML wants', () => {
    for (const path of SECRETS) {
      for (const value of [[CANARY], { [CANARY.slice(0, 3)]: CANARY }]) {
        assert.ok(!said(replaced(wholeConfig(), path, value)).includes(CANARY), path.join('.'))
      }
      for (const before of ODD) {
        const text = stringify(replaced(wholeConfig(), path, 'HERE')).replace(/"?HERE"?/, `${before}${CANARY}`)
        assert.ok(!said(text).includes(CANARY), `${path.join('.')}: ${before}`)
      }
    }
    for (const token of ['as_token', 'hs_token']) {
      for (const before of ['*', '"', '[', '{', 'x: ']) {
        const text = stringify({ ...registration(), [token]: 'HERE' }).replace('HERE', `${before}${CANARY}`)
        assert.ok(!said(wholeConfig(), text).includes(CANARY), `${token}: ${before}`)
      }
    }
  })

  it('holds no password of an address, which must have none', () => {
    for (const path of ADDRESSES) {
      for (const address of [`https://user:${CANARY}@example.org`, `ftp://user:${CANARY}@example.org`, `nonsense?password=${CANARY}`]) {
        const text = said(replaced(wholeConfig(), path, address))
        assert.match(text, /It must be an address/, path.join('.'))
        assert.ok(!text.includes(CANARY), path.join('.'))
      }
    }
  })

  it('is not “make it” about a file that is there but cannot be read', function () {
    if (process.getuid?.() === 0) { // root may read everything: a folder stands for it
      const path = write(wholeConfig())
      mkdirSync(join(dirname(path), 'folder'))
      assert.throws(() => loadConfig(join(dirname(path), 'folder'), {}), /EISDIR\)\. It is a folder/)
      return
    }
    const path = write(wholeConfig())
    chmodSync(path, 0)
    assert.throws(() => loadConfig(path, {}), /EACCES\)\. It is there, but this user may not read it/)
  })
})
