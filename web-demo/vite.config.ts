import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { compression } from 'vite-plugin-compression2';

/** Where `npm run dev` finds a Weft server. The build is served by the server itself. */
const server = 'http://127.0.0.1:8080';

export default defineConfig({
  // The server sends what lies compressed beside a file to whoever takes it.
  plugins: [react(), compression({ include: /\.(js|css|svg)$/, algorithms: ['gzip', 'brotliCompress'] })],
  build: {
    // `light-dark()` and nested CSS as written: browsers since mid-2024.
    target: ['chrome125', 'edge125', 'firefox128', 'safari17.5'],
    // The editor, loaded with the first document.
    chunkSizeWarningLimit: 900,
  },
  server: {
    proxy: {
      '/v1': server,
      '/dev': server,
      '/collab': { target: server, ws: true },
    },
  },
});
