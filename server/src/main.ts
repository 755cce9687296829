import { createProgram } from './cli/program.ts';

// `weft check-config | head` closes the pipe while we write: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

await createProgram().parseAsync();
