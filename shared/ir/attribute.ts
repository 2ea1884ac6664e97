/** Owns reading and making attributes by kind. */
import { Fault } from '../base/fault.ts';
import { text } from '../base/text.ts';
import type { Attribute, AttributeValue, Node } from './model.ts';

type Kind = AttributeValue['kind'];
type Values = { [A in AttributeValue as A['kind']]: A['value'] };

/** The attribute of this name, or undefined. */
export function attribute(node: Node, name: string): Attribute | undefined {
  for (let k = 0; k < node.attributes.length; k++) if (node.attributes[k]?.name === name) return node.attributes[k];
  return undefined;
}

/** The value of an attribute that must have this kind; undefined where absent. Throws `bad-graph` on another kind. */
export function attributeOf<K extends Kind>(node: Node, name: string, kind: K): Values[K] | undefined {
  const found = attribute(node, name);
  if (found === undefined) return undefined;
  if (found.kind !== kind)
    throw new Fault(
      'bad-graph',
      text(
        `attribute ${name} of ${node.op} is ${found.kind}, expected ${kind}`,
        `${node.op}의 속성 ${name}이(가) ${kind}이(가) 아니라 ${found.kind}입니다`,
      ),
      {
        where: node.id,
      },
    );
  return found.value as unknown as Values[K];
}

/** int attribute as a JS number (exact up to 2^53; axis, group, flags). */
export function intAttr(node: Node, name: string): number | undefined;
export function intAttr(node: Node, name: string, fallback: number): number;
export function intAttr(node: Node, name: string, fallback?: number): number | undefined {
  const value = attributeOf(node, name, 'int');
  return value === undefined ? fallback : Number(value);
}

/** ints attribute as JS numbers. */
export function intsAttr(node: Node, name: string): readonly number[] | undefined {
  return attributeOf(node, name, 'ints')?.map(Number);
}

export function floatAttr(node: Node, name: string, fallback: number): number {
  return attributeOf(node, name, 'float') ?? fallback;
}

export function stringAttr(node: Node, name: string, fallback: string): string {
  const value = attributeOf(node, name, 'string');
  return value === undefined ? fallback : utf8(value);
}

/** UTF-8 bytes as text, written out because shared/ has no TextDecoder; invalid bytes become U+FFFD. */
export function utf8(bytes: Uint8Array): string {
  let out = '';
  for (let i = 0; i < bytes.length; ) {
    const a = bytes[i++] ?? 0;
    if (a < 0x80) {
      out += String.fromCharCode(a);
      continue;
    }
    const extra = a >= 0xf0 && a < 0xf5 ? 3 : a >= 0xe0 && a < 0xf0 ? 2 : a >= 0xc2 && a < 0xe0 ? 1 : 0;
    let code = extra === 3 ? a & 7 : extra === 2 ? a & 15 : a & 31;
    let ok = extra > 0 && i + extra <= bytes.length;
    for (let k = 0; ok && k < extra; k++) {
      const b = bytes[i + k] ?? 0;
      if ((b & 0xc0) !== 0x80) ok = false;
      code = (code << 6) | (b & 63);
    }
    if (!ok) {
      out += '\ufffd';
      continue;
    }
    i += extra;
    out += String.fromCodePoint(code);
  }
  return out;
}

/** Text as UTF-8 bytes. */
export function utf8Bytes(text: string): Uint8Array {
  const out: number[] = [];
  for (const char of text) {
    const c = char.codePointAt(0) ?? 0;
    if (c < 0x80) out.push(c);
    else if (c < 0x800) out.push(0xc0 | (c >> 6), 0x80 | (c & 63));
    else if (c < 0x10000) out.push(0xe0 | (c >> 12), 0x80 | ((c >> 6) & 63), 0x80 | (c & 63));
    else out.push(0xf0 | (c >> 18), 0x80 | ((c >> 12) & 63), 0x80 | ((c >> 6) & 63), 0x80 | (c & 63));
  }
  return Uint8Array.from(out);
}

export const attr = {
  int: (name: string, value: number | bigint): Attribute => ({ name, kind: 'int', value: BigInt(value) }),
  ints: (name: string, value: readonly (number | bigint)[]): Attribute => ({
    name,
    kind: 'ints',
    value: value.map(BigInt),
  }),
  float: (name: string, value: number): Attribute => ({ name, kind: 'float', value }),
  floats: (name: string, value: readonly number[]): Attribute => ({ name, kind: 'floats', value }),
  string: (name: string, value: string): Attribute => ({ name, kind: 'string', value: utf8Bytes(value) }),
  tensor: (name: string, value: Extract<AttributeValue, { kind: 'tensor' }>['value']): Attribute => ({
    name,
    kind: 'tensor',
    value,
  }),
  graph: (name: string, value: Extract<AttributeValue, { kind: 'graph' }>['value']): Attribute => ({
    name,
    kind: 'graph',
    value,
  }),
} as const;

/** The node with one attribute set (replacing one of the same name) or removed (undefined). */
export function withAttribute(node: Node, name: string, value: Attribute | undefined): Node {
  const others = node.attributes.filter((a) => a.name !== name);
  return { ...node, attributes: value === undefined ? others : [...others, value] };
}
