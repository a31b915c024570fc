/** The shop as a process of its own: `shop-process.js PORT ERRORS_FROM_MS ERRORS_TO_MS`; prints its URL once it answers. */
import { systemClock } from '../../lib/index.ts'
import { startShop } from './shop.ts'
import { startShopLoad } from './shop-load.ts'

const [port, fromMs, toMs] = process.argv.slice(2).map(Number) as [number, number, number]
const shop = await startShop({ port, clock: systemClock, errorPhase: { fromMs, toMs } })
const stopLoad = startShopLoad(shop.url, systemClock)
console.log(shop.url)

const stop = (): void => {
  stopLoad()
  void shop.close()
}
process.once('SIGTERM', stop)
process.once('SIGINT', stop)
