import { endOnSignals } from './process.ts';

endOnSignals();

// `weft check-config | head` closes the pipe while we write: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

// Only now: loading all of it takes a while.
const { createProgram } = await import('./cli/program.ts');
await createProgram().parseAsync();
