import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'vite'

// `vite --config dashboards/ui/vite.config.ts` serves the sources; API calls go to a running server.
const api = process.env.BELLTOWER_URL ?? 'http://127.0.0.1:9090'

/** The theme is set before the first paint by a plain script from `public/`, which the bundler must leave alone. */
const themeScript: Plugin = {
  name: 'theme-script',
  transformIndexHtml: {
    order: 'post',
    handler: () => [{ tag: 'script', attrs: { src: './theme.js' }, injectTo: 'head-prepend' }],
  },
}

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  // Relative, so that the same files work under any route prefix.
  base: './',
  plugins: [themeScript],
  oxc: { jsx: { importSource: 'preact' } },
  build: {
    outDir: fileURLToPath(new URL('../../dist/dashboards/ui', import.meta.url)),
    emptyOutDir: true,
    target: 'es2022',
    // The polyfill is an inline script's worth of code for browsers that cannot run the rest anyway.
    modulePreload: { polyfill: false },
    // A data: URL would need a wider security policy than a file does.
    assetsInlineLimit: 0,
  },
  server: {
    host: '127.0.0.1',
    proxy: Object.fromEntries(
      ['/api', '/alertmanager/api', '/pushgateway/api', '/version'].map((path) => [path, { target: api }]),
    ),
  },
})
