import { describe, expect, it } from 'vitest'
import { familyOf, groupByDay, summaryOf } from './timeline'

const at = (...times: string[]) => times.map((timestamp, id) => ({ id, timestamp }))

describe('groupByDay', () => {
  const facts = at('2026-03-08T16:30:00Z', '2026-03-08T15:59:59.999Z', '2026-03-08T01:00:00Z', '2026-03-07T23:00:00Z')

  it('cuts at midnight of the zone', () => {
    expect(groupByDay(facts, 'Asia/Shanghai').map((g) => [g.day, g.items.map((i) => i.id)])).toEqual([
      ['2026-03-09', [0]],
      ['2026-03-08', [1, 2, 3]],
    ])
    expect(groupByDay(facts, 'UTC').map((g) => g.day)).toEqual(['2026-03-08', '2026-03-07'])
  })

  it('follows a day on which clocks change', () => {
    // New York went from EST to EDT at 2026-03-08 07:00 UTC.
    const days = groupByDay(at('2026-03-09T03:59:00Z', '2026-03-08T05:01:00Z', '2026-03-08T04:59:00Z'), 'America/New_York')
    expect(days.map((g) => g.day)).toEqual(['2026-03-08', '2026-03-07'])
  })

  it('is empty for nothing', () => expect(groupByDay([], 'UTC')).toEqual([]))
})

describe('familyOf', () => {
  it.each([
    ['order.paid', 'order'],
    ['order.refunded', 'refund'],
    ['Order Completed', 'order'],
    ['page.viewed', 'page'],
    ['contact.merged', 'contact'],
    ['orders_seen', 'other'],
    ['领取优惠券', 'other'],
  ])('%s is %s', (name, family) => expect(familyOf(name)).toBe(family))
})

describe('summaryOf', () => {
  it('writes an order as money, number and goods', () => {
    const properties = { orderNumber: 'A1', total: 12345, currency: 'CNY', lines: [{ name: '白茶' }, { sku: 'x' }, null] }
    expect(summaryOf({ name: 'order.paid', title: '', properties }, 'zh-CN')).toEqual(['¥123.45', 'A1', '白茶'])
  })

  it('puts telling properties first and names the others', () => {
    const properties = { price: 168, sku: 'X', name: '龙井', nested: { a: 1 }, empty: '' }
    expect(summaryOf({ name: 'product_viewed', title: '', properties }, 'zh-CN')).toEqual(['龙井', 'price: 168', 'sku: X'])
  })

  it('does not say again what the title says', () => {
    const properties = { orderNumber: 'A1', total: 100, currency: 'CNY', lines: [] }
    expect(summaryOf({ name: 'order.paid', title: '支付订单 A1', properties }, 'zh-CN')).toEqual(['¥1.00'])
  })

  it('says nothing more about what the system notes', () => {
    expect(summaryOf({ name: 'contact.merged', title: '合并了另一条记录', properties: { from: 'ct_1', by: 'phone' } }, 'zh-CN')).toEqual([])
    expect(summaryOf({ name: 'owner.changed', title: '甲 把客户交给 乙', properties: { to: 'us_01m8brr5jhj0x0qnv0tawyx25a', why: '门店客户归门店', by: '甲' } }, 'zh-CN')).toEqual(['门店客户归门店'])
    expect(summaryOf({ name: 'tagging', title: '', properties: { by: 'x' } }, 'zh-CN')).toEqual(['by: x'])
  })

  it('calls properties what people call them and hides our ids', () => {
    const properties = { price: 168, card: 'nt_01m8brsvf0favs93sysnd579np', kg: 2 }
    expect(summaryOf({ name: 'x', title: '', properties, labels: { price: '单价' } }, 'zh-CN')).toEqual(['单价: 168', 'kg: 2'])
  })

  it('names the channel, and the code that was scanned', () => {
    const properties = { channel: 'offline', codeName: '湖滨店收银台', user: 'ruyan' }
    const shown = summaryOf({ name: 'friend.added', title: '', properties, labels: { channel: '渠道', user: '成员' } }, 'zh-CN', (id) => (id === 'offline' ? '线下' : id))
    expect(shown).toEqual(['湖滨店收银台', '渠道: 线下', '成员: ruyan'])
  })

  it('cuts what is long', () => {
    const [text] = summaryOf({ name: 'x', title: '', properties: { url: 'h'.repeat(300) } }, 'en')
    expect(text).toHaveLength(48)
  })
})

describe('a line about a group', () => {
  const joined = (properties: Record<string, unknown>) => summaryOf({ name: 'group.joined', title: '经 王五 邀请加入群组 白茶群', properties }, 'zh-CN')
  it('calls colleagues by name, and by id where no name is known', () => {
    expect(joined({ group: 'wr1', groupName: '白茶群', invitor: 'wang', invitorName: '王五', owner: 'zhang', ownerName: '张三' })).toEqual(['ownerName: 张三'])
    expect(joined({ group: 'wr1', groupName: '白茶群', owner: 'zhang' })).toEqual(['owner: zhang'])
  })
})
