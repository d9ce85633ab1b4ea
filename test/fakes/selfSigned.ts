/** A certificate for 127.0.0.1 and localhost that signs itself, made anew, so that no key lies about and none expires. */
import { generateKeyPairSync, sign } from 'node:crypto';

const SEQUENCE = 0x30;
const SET = 0x31;
const ECDSA_SHA256 = der(SEQUENCE, Buffer.from('06082a8648ce3d040302', 'hex'));
const DAY_MS = 86_400_000;

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const bytes = body.length.toString(16).padStart(body.length > 255 ? 4 : 2, '0');
  const length = Buffer.from(body.length > 127 ? `${body.length > 255 ? '82' : '81'}${bytes}` : bytes, 'hex');
  return Buffer.concat([Buffer.from([tag]), length, body]);
}

function named(name: string): Buffer {
  const commonName = Buffer.from('0603550403', 'hex');
  return der(SEQUENCE, der(SET, der(SEQUENCE, commonName, der(0x0c, Buffer.from(name)))));
}

function time(at: number): Buffer {
  const text = new Date(at).toISOString().replace(/[-:T]|\.\d+/g, '');
  return der(0x18, Buffer.from(text));
}

/** Subject alternative names, and that it is an authority of its own. */
function extensions(): Buffer {
  const names = der(SEQUENCE, der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1])));
  const alternative = der(SEQUENCE, Buffer.from('0603551d11', 'hex'), der(0x04, names));
  const authority = der(
    SEQUENCE,
    Buffer.from('0603551d13', 'hex'),
    der(0x04, Buffer.from('30030101ff', 'hex')),
  );
  return der(0xa3, der(SEQUENCE, alternative, authority));
}

function pem(what: string, bytes: Buffer): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${what}-----\n${lines.join('\n')}\n-----END ${what}-----\n`;
}

export function selfSigned(now = Date.now()): { readonly cert: string; readonly key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const content = der(
    SEQUENCE,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    ECDSA_SHA256,
    named('catchupd test'),
    der(SEQUENCE, time(now - DAY_MS), time(now + DAY_MS)),
    named('catchupd test'),
    publicKey.export({ type: 'spki', format: 'der' }),
    extensions(),
  );
  const signature = der(0x03, Buffer.from([0]), sign('sha256', content, privateKey));
  return {
    cert: pem('CERTIFICATE', der(SEQUENCE, content, ECDSA_SHA256, signature)),
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}
