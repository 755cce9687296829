/**
 * What each of them started; when one fails, what the others started is removed, so that nobody's process goes on.
 *
 * @throws the first failure
 */
export async function startAll<T>(
  starting: readonly Promise<T>[],
  remove: (started: T) => Promise<unknown>,
): Promise<T[]> {
  const outcomes = await Promise.allSettled(starting);
  const started = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (!failed) return started;
  await Promise.all(started.map(remove));
  throw failed.reason;
}
