import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** Where `npm run dev` finds a Weft server. The build is served by the server itself. */
const server = 'http://127.0.0.1:8080';

export default defineConfig({
  plugins: [react()],
  build: {
    // `light-dark()` and nested CSS as written: browsers since mid-2024.
    target: ['chrome125', 'edge125', 'firefox128', 'safari17.5'],
    chunkSizeWarningLimit: 600,
    rolldownOptions: {
      output: {
        // The editor's libraries change seldom: a new build of the application leaves them cached.
        codeSplitting: {
          groups: [
            { name: 'editing', test: /node_modules[\\/](@tiptap|prosemirror|linkifyjs)/ },
            { name: 'collaboration', test: /node_modules[\\/](yjs|lib0|y-|@hocuspocus|@lifeomic)/ },
          ],
        },
      },
    },
  },
  server: {
    proxy: {
      '/v1': server,
      '/dev': server,
      '/collab': { target: server, ws: true },
    },
  },
});
