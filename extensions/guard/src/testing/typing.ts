import * as Y from 'yjs';
import type { Random } from './random.ts';

const OPERATIONS_PER_PERSON = 5_000;
const PARAGRAPH = 200;

/** A document typed by many people in turn: paragraphs with runs of typing, deletions, formatting, and a map. */
export function typeDocument(random: Random, operations: number): Y.Doc {
  const doc = new Y.Doc();
  const body = doc.getXmlFragment('body');
  const meta = doc.getMap('meta');
  let paragraph = addParagraph(body);
  let at = 0;
  for (let i = 0; i < operations; i++) {
    if (i % OPERATIONS_PER_PERSON === 0) doc.clientID = random.uint32();
    if (random.chance(0.02)) {
      paragraph = choose(random, body);
      at = random.below(paragraph.length + 1);
    }
    at = typeOnce(random, paragraph, at);
    if (random.chance(0.01)) meta.set(`key${random.below(50)}`, i);
  }
  return doc;
}

/** One keystroke; returns the caret after it. */
function typeOnce(random: Random, paragraph: Y.XmlText, at: number): number {
  if (at > 0 && random.chance(0.15)) {
    paragraph.delete(at - 1, 1);
    return at - 1;
  }
  if (random.chance(0.02)) {
    const from = random.below(paragraph.length + 1);
    paragraph.format(from, Math.min(8, paragraph.length - from), { bold: random.pick([true, null]) });
  }
  const caret = Math.min(at, paragraph.length);
  paragraph.insert(caret, 'x');
  return caret + 1;
}

function choose(random: Random, body: Y.XmlFragment): Y.XmlText {
  const element = body.get(random.below(body.length)) as Y.XmlElement;
  const paragraph = element.get(0) as Y.XmlText;
  return paragraph.length > PARAGRAPH ? addParagraph(body) : paragraph;
}

function addParagraph(body: Y.XmlFragment): Y.XmlText {
  const element = new Y.XmlElement('paragraph');
  const paragraph = new Y.XmlText();
  element.insert(0, [paragraph]);
  body.push([element]);
  return paragraph;
}

/** A replica of it on which one more person types single characters in the middle of random paragraphs. */
export function* keystrokes(random: Random, doc: Y.Doc, count: number): Generator<Uint8Array> {
  const replica = new Y.Doc();
  Y.applyUpdate(replica, Y.encodeStateAsUpdate(doc));
  const body = replica.getXmlFragment('body');
  let update: Uint8Array | undefined;
  replica.on('update', (bytes: Uint8Array) => (update = bytes));
  for (let i = 0; i < count; i++) {
    const paragraph = (body.get(random.below(body.length)) as Y.XmlElement).get(0) as Y.XmlText;
    paragraph.insert(random.below(paragraph.length + 1), 'y');
    yield update!;
  }
}
