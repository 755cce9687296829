/** What must be ended whatever happens: servers, generators, directories. Ends the newest first. */
export class CleanUp {
  private readonly tasks: (() => unknown)[] = [];

  add(task: () => unknown): void {
    this.tasks.push(task);
  }

  /** A point to come back to with {@link endTo}. */
  mark(): number {
    return this.tasks.length;
  }

  /** Ends all that was added after the mark, also when some of it fails. */
  async endTo(mark = 0): Promise<void> {
    const failures: unknown[] = [];
    while (this.tasks.length > mark) {
      try {
        await this.tasks.pop()?.();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'Not everything could be ended');
  }
}
