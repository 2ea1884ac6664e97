/** Owns how an attribute is printed: exactly. Integers are bigint and keep every digit and their sign. */
import { utf8 } from '#shared/ir/attribute.ts';
import type { Attribute } from '#shared/ir/model.ts';

/** The value in full; tensors and graphs by what they are. */
export function attributeText(a: Attribute): string {
  switch (a.kind) {
    case 'int':
      return a.value.toString();
    case 'ints':
      return `[${a.value.map(String).join(', ')}]`;
    case 'float':
      return String(Math.fround(a.value) === a.value ? Number(a.value.toPrecision(9)) : a.value);
    case 'floats':
      return `[${a.value.map((v) => String(Number(v.toPrecision(9)))).join(', ')}]`;
    case 'string':
      return utf8(a.value);
    case 'strings':
      return `[${a.value.map(utf8).join(', ')}]`;
    case 'tensor':
      return `${a.value.type}[${a.value.dims.join('×')}]`;
    case 'sparseTensor':
      return `sparse ${a.value.values.type}[${a.value.dims.join('×')}]`;
    case 'tensors':
    case 'sparseTensors':
      return `${a.value.length} tensors`;
    case 'graph':
      return `graph of ${a.value.nodes.length} nodes`;
    case 'graphs':
      return `${a.value.length} graphs`;
    case 'type':
      return a.value.kind;
    case 'types':
      return a.value.map((t) => t.kind).join(', ');
    case 'reference':
      return `= ${a.value}`;
    case 'unknown':
      return '?';
  }
}
