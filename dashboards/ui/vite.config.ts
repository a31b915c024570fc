import { fileURLToPath } from 'node:url'
import { defineConfig, type Plugin } from 'vite'

// `vite --config dashboards/ui/vite.config.ts` serves the sources; API calls go to a running server.
const api = process.env.BELLTOWER_URL ?? 'http://127.0.0.1:9090'

/** The theme is set before the first paint by a plain script from `public/`, which the bundler must leave alone. */
const themeScript = (base: string): Plugin => ({
  name: 'theme-script',
  transformIndexHtml: {
    order: 'post',
    handler: () => [{ tag: 'script', attrs: { src: `${base}theme.js` }, injectTo: 'head-prepend' }],
  },
})

export default defineConfig(({ command }) => ({
  root: fileURLToPath(new URL('.', import.meta.url)),
  // Built files are linked relatively, so that they work under any route prefix.
  base: baseOf(command),
  plugins: [themeScript(baseOf(command))],
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
      ['/api/v1', '/alertmanager/api', '/pushgateway/api', '/version'].map((path) => [path, { target: api }]),
    ),
  },
}))

function baseOf(command: 'build' | 'serve'): string {
  return command === 'serve' ? '/' : './'
}
