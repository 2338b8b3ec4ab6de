import { useQueryClient } from '@tanstack/react-query'
import { Plus, Trash2 } from 'lucide-react'
import { useState } from 'react'
import { useTranslation } from 'react-i18next'
import type { TrafficSettings } from '@/shared/api/types'
import { useChannelName, useChannelOptions } from '@/shared/lib/channels'
import { Drawer } from '@/shared/ui/Drawer'
import { useToast } from '@/shared/ui/feedback'
import { Button, Input, Select } from '@/shared/ui/kit'
import { setSettings, TRAFFIC_KEY } from '../queries'
import css from './traffic.module.css'

/** What counts as abnormal, for all channels and for some. */
export function SettingsDrawer({ value, onClose }: { value: TrafficSettings; onClose: () => void }) {
  const { t } = useTranslation(['traffic', 'common'])
  const client = useQueryClient()
  const toast = useToast()
  const channelName = useChannelName()
  const channels = useChannelOptions()
  const [set, setSet] = useState(value)
  const [busy, setBusy] = useState(false)
  const limits = set.limits ?? []
  const percent = (channel: string, n: number) => setSet({ ...set, limits: limits.map((l) => (l.channel === channel ? { ...l, percent: n } : l)) })
  const save = async () => {
    setBusy(true)
    try {
      await setSettings({ burst: set.burst, limits })
      await client.invalidateQueries({ queryKey: TRAFFIC_KEY })
      toast.done(t('settings.saved'))
      onClose()
    } catch (error) {
      toast.failed(error)
      setBusy(false)
    }
  }
  const ordered = [...limits].sort((a, b) => Number(a.channel !== '') - Number(b.channel !== ''))
  const free = channels.filter((c) => !limits.some((l) => l.channel === c.value))
  return (
    <Drawer
      open
      onClose={onClose}
      title={t('settings.title')}
      footer={
        <Button type="primary" loading={busy} onClick={() => void save()}>
          {t('common:action.save')}
        </Button>
      }
    >
      <div className="kp-stack">
        <p className="kp-muted">{t('settings.desc')}</p>
        {ordered.map((l) => (
          <label key={l.channel} className={css.limit}>
            <span>{l.channel === '' ? t('settings.all') : channelName(l.channel)}</span>
            <Input
              type="number"
              min={5}
              max={90}
              suffix="%"
              value={l.percent}
              aria-label={l.channel === '' ? t('settings.all') : t('settings.of', { channel: channelName(l.channel) })}
              onChange={(e) => percent(l.channel, Number(e.target.value))}
            />
            {l.channel !== '' && (
              <Button type="text" icon={<Trash2 size={14} aria-hidden />} aria-label={t('settings.remove', { channel: channelName(l.channel) })} onClick={() => setSet({ ...set, limits: limits.filter((x) => x.channel !== l.channel) })} />
            )}
          </label>
        ))}
        <div className="kp-row">
          <Plus size={14} aria-hidden />
          <Select<string> showSearch optionFilterProp="label" style={{ minWidth: 220 }} value={null as unknown as string} placeholder={t('settings.add')} aria-label={t('settings.add')} options={free} onChange={(channel) => setSet({ ...set, limits: [...limits, { channel, percent: 15 }] })} />
        </div>
        <label className={css.limit}>
          <span>{t('settings.burst')}</span>
          <Input type="number" min={10} max={10000} value={set.burst} aria-label={t('settings.burst')} onChange={(e) => setSet({ ...set, burst: Number(e.target.value) })} />
        </label>
      </div>
    </Drawer>
  )
}
