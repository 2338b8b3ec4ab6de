import type { TFunction } from 'i18next'

const DEVICES = ['phone', 'tablet', 'desktop', 'other'] as const
const APPS = ['wecom', 'wechat', 'alipay', 'dingtalk', 'feishu', 'douyin', 'xiaohongshu', 'weibo', 'qq', 'baidu', 'edge', 'firefox', 'chrome', 'safari', 'other'] as const

/** A device in words; one that we have no word for reads as the server calls it. */
export function deviceName(device: string, t: TFunction<'links'>): string {
  const known = DEVICES.find((d) => d === device)
  return known ? t(`device.${known}`) : device
}

/** An app or browser in words. */
export function appName(app: string, t: TFunction<'links'>): string {
  const known = APPS.find((a) => a === app)
  return known ? t(`app.${known}`) : app
}
