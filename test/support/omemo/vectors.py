"""Writes vectors of python-oldmemo, python-doubleratchet and python-x3dh, which are none of ours, for test/unit/networks/xmpp/omemo/ratchet.test.ts.

    vectors.py > vectors.json

Two people, a and b, with all that they drew by lot. Each step says something, or hears what was said under that number.
"""
import asyncio
import json
import random
import secrets

import x3dh.base_state
import xeddsa
from doubleratchet.recommended import diffie_hellman_ratchet_curve25519
from oldmemo.etree import serialize_bundle
from oldmemo.oldmemo import EncryptedKeyMaterialImpl, KeyExchangeImpl, Oldmemo, PlainKeyMaterialImpl
from omemo.identity_key_pair import IdentityKeyPair
from omemo.session import Initiation
from omemo.storage import Just, Nothing, Storage

drawn = []


class Memory(Storage):
    def __init__(self):
        super().__init__(True)
        self.all = {}

    async def _load(self, key):
        return Just(self.all[key]) if key in self.all else Nothing()

    async def _store(self, key, value):
        self.all[key] = value

    async def _delete(self, key):
        self.all.pop(key, None)


class Secrets:
    choice = staticmethod(secrets.choice)

    @staticmethod
    def token_bytes(count):
        drawn.append(secrets.token_bytes(count))
        return drawn[-1]


def draw():
    return Secrets.token_bytes(32)


x3dh.base_state.secrets = Secrets
diffie_hellman_ratchet_curve25519.DiffieHellmanRatchet._generate_priv = staticmethod(draw)


def drawn_meanwhile():
    taken = [one.hex() for one in drawn]
    drawn.clear()
    return taken


class Person:
    def __init__(self, name, other, device):
        self.name, self.other, self.device = name, other, device
        self.storage = Memory()
        self.backend = Oldmemo(self.storage)
        self.session = None

    async def keys(self):
        identity = await IdentityKeyPair.get(self.storage)
        await self.backend.generate_pre_keys(1)
        bundle = await self.backend.get_bundle(self.name, self.device)
        xml = serialize_bundle(bundle)
        signed, one = drawn_meanwhile()
        return bundle, {
            'seed': identity.seed.hex(), 'signed': {'id': bundle.signed_pre_key_id, 'priv': signed, 'signature': xml[1].text},
            'one': {'id': int(xml[3][0].get('preKeyId')), 'priv': one}, 'identity': xml[2].text
        }

    async def says(self, bundle):
        secret = secrets.token_bytes(32)
        plain = PlainKeyMaterialImpl(secret[:16], secret[16:])
        if self.session is None:
            self.session, sealed = await self.backend.build_session_active(self.other, 1, bundle, plain)
        else:
            sealed = await self.backend.encrypt_key_material(self.session, plain)
        wire = sealed.serialize()
        prekey = self.session.initiation is Initiation.ACTIVE and not self.session.confirmed
        if prekey:
            wire, _ = self.session.key_exchange.serialize(wire)
        return {'does': 'says', 'who': self.name, 'secret': secret.hex(), 'wire': wire.hex(), 'prekey': prekey, 'drawn': drawn_meanwhile()}

    async def hears(self, number, said, sign):
        wire = bytes.fromhex(said['wire'])
        exchange = None
        if said['prekey']:
            exchange, wire = KeyExchangeImpl.parse(wire, sign)
        sealed = EncryptedKeyMaterialImpl.parse(wire, self.other, 1)
        if self.session is None:
            self.session, plain = await self.backend.build_session_passive(self.other, 1, exchange, sealed)
        else:
            plain = await self.backend.decrypt_key_material(self.session, sealed)
        assert (plain.key + plain.auth_tag).hex() == said['secret']
        return {'does': 'hears', 'who': self.name, 'number': number, 'drawn': drawn_meanwhile()}


async def story(seed):
    chance = random.Random(seed)
    a, b = Person('a', 'b', 1), Person('b', 'a', 1)
    _, keys_of_a = await a.keys()
    bundle, keys_of_b = await b.keys()
    sign = bool(xeddsa.seed_to_ed25519_pub((await IdentityKeyPair.get(a.storage)).seed)[31] >> 7)
    steps = [await a.says(bundle)]
    steps.append(await b.hears(0, steps[0], sign))
    under_way = {'a': [], 'b': []}
    for _ in range(60):
        who, other = chance.choice([(a, b), (b, a)])
        if chance.random() < 0.55 or not under_way[who.name]:
            steps.append(await who.says(bundle))
            under_way[other.name].append(len(steps) - 1)
        else:
            number = under_way[who.name].pop(chance.randrange(min(len(under_way[who.name]), 4)))
            steps.append(await who.hears(number, steps[number], sign))
    return {'a': keys_of_a, 'b': keys_of_b, 'steps': steps}


async def main():
    print(json.dumps([await story(seed) for seed in range(4)], indent=1))


asyncio.run(main())
