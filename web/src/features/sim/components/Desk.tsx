import { useTranslation } from 'react-i18next'
import type { SimAct, SimWorld } from '@/shared/api/types'
import { Button } from '@/shared/ui/kit'
import { Panel } from '@/shared/ui/Panel'
import css from './sim.module.css'

/** What waits for the staff in their own app: requests, messages to confirm, moments to publish. */
export function Desk({ world, busy, onAct }: { world: SimWorld; busy: boolean; onAct: (act: SimAct) => void }) {
  const { t } = useTranslation('sim')
  const waiting = (world.corps ?? []).flatMap((c) => c.staff ?? []).filter((s) => s.messages > 0 || s.moments > 0)
  if (waiting.length === 0) return null
  return (
    <Panel title={t('desk.title')} desc={t('desc.desk')}>
      <ul className={css.desk}>
        {waiting.map((s) => (
          <li key={s.userid}>
            <b>{s.name}</b>
            <span>
              {s.messages > 0 && (
                <Button size="small" disabled={busy} onClick={() => onAct({ does: 'confirm', who: s.userid })}>
                  {t('desk.confirm', { count: s.messages })}
                </Button>
              )}
              {s.moments > 0 && (
                <Button size="small" disabled={busy} onClick={() => onAct({ does: 'publish', who: s.userid })}>
                  {t('desk.publish', { count: s.moments })}
                </Button>
              )}
            </span>
          </li>
        ))}
      </ul>
    </Panel>
  )
}
