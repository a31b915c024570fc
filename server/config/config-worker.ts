// The thread that reads long configuration files for config-reader.ts.
import { parentPort } from 'node:worker_threads'
import { serveRpc } from '../../lib/index.ts'
import { ConfigError } from '../../lib/yaml-config.ts'
import { INLINE_KEYS, type InlineKey, type ReadAnswer, type ReadQuestion, readHere } from './config-reader.ts'
import type { ConfigFile } from './schema.ts'

serveRpc(parentPort!, {
  read({ kind, fileName, text }: ReadQuestion): ReadAnswer {
    try {
      const { value, inlineText } = readHere(kind, fileName, text)
      const parts = kind === 'config' ? (value as ConfigFile).belltower : undefined
      const inline: Partial<Record<InlineKey, string>> = {}
      for (const key of INLINE_KEYS) {
        if (typeof parts?.[key] === 'object') inline[key] = inlineText(key)
      }
      return { value, inline }
    } catch (error) {
      if (error instanceof ConfigError) return { faults: error.faults }
      throw error
    }
  },
})
