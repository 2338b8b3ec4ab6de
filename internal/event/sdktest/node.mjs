// Sends one call of each kind with the published Node SDKs of Segment and
// RudderStack. Nothing is set but the host and the write key.
import { Analytics } from '@segment/analytics-node'
import RudderAnalytics from '@rudderstack/rudder-sdk-node'

const [host, writeKey] = process.argv.slice(2)
const failed = (who) => (err) => {
  if (err) {
    console.error(who, err)
    process.exitCode = 1
  }
}

const segment = new Analytics({ writeKey, host, maxRetries: 0 })
segment.on('error', failed('segment'))
const call = (prefix, sdk) => {
  const userId = `${prefix}-user`
  sdk.identify({ userId, traits: { email: `${prefix}@example.com`, plan: '金卡' } })
  sdk.track({ userId, event: 'Order Placed', properties: { total: 12.5, items: [{ sku: 'A1' }] } })
  sdk.page({ userId, name: 'Home', properties: { url: 'https://example.com/' } })
  sdk.screen({ userId, name: 'Main' })
  sdk.group({ userId, groupId: 'vip' })
  sdk.alias({ userId, previousId: `${prefix}-visitor` })
}
call('segment-node', segment)
await segment.closeAndFlush({ timeout: 10000 })

const Rudder = RudderAnalytics.default ?? RudderAnalytics
const rudder = new Rudder(writeKey, { dataPlaneUrl: host, flushAt: 3 })
call('rudder-node', rudder)
await rudder.flush().catch(failed('rudder'))
await new Promise((resolve) => setTimeout(resolve, 500)) // its first event goes alone, beside the flush
