import { placesIn } from '../document.ts';
import type { Member } from '../load/crowd.ts';
import { instanceOf, type DocumentFile, type Stage } from './scenario.ts';

/** How many sessions open at a time when the opening itself is not what is measured. */
export const UNHURRIED = 16;

/**
 * Key presses per second and person that bring `people` to some 300 per second together: what runs hot is
 * compiled before the measured window, also where people then type slowly.
 */
export function warmUpRate(people: number): number {
  return Math.ceil(300 / people);
}

/** `count` people at one document, spread evenly over the instances. */
export function peopleAt(stage: Stage, document: string, count: number): Member[] {
  return Array.from({ length: count }, (_, index) => person(stage, document, index));
}

/** The same, each writing at a place of their own in a document that is there already, as people do. */
export function peopleWithin(
  stage: Stage,
  { document, content, count }: { document: string; content: DocumentFile; count: number },
): Member[] {
  const places = placesIn(content.state, count);
  return peopleAt(stage, document, count).map((member, index) => ({ ...member, place: places[index] ?? {} }));
}

/** Views for the stock providers that verify: one of each instance. */
export function viewsOf(stage: Stage, document: string): Member[] {
  return peopleAt(stage, document, stage.deployment.instances.length);
}

function person(stage: Stage, document: string, index: number): Member {
  return {
    url: instanceOf(stage, index).url,
    token: stage.deployment.token(`bench-person-${index}`),
    document,
  };
}

/** Puts a document into the server and tells the generator what its text is. */
export async function prepare(stage: Stage, document: string, content: DocumentFile): Promise<void> {
  await stage.deployment.seed(document, content.pieces);
  await stage.load.call('seed', { document, file: content.file });
}
