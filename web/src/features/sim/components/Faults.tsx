import { useMutation, useQueryClient } from '@tanstack/react-query'
import { X } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import type { SimFaultInput, SimWorld } from '@/shared/api/types'
import { useToast } from '@/shared/ui/feedback'
import { Drawer } from '@/shared/ui/Drawer'
import { Button } from '@/shared/ui/kit'
import { addFault, removeFault } from '../queries'
import css from './sim.module.css'

/** Faults worth seeing, in the order in which they are told about. */
const ORDERS = [
  ['welcomeBusy', { kind: 'busy', path: 'externalcontact/send_welcome_msg', left: 2 }],
  ['welcomeLost', { kind: 'lost', path: 'externalcontact/send_welcome_msg', left: 1 }],
  ['welcomeSlow', { kind: 'slow', path: 'externalcontact/send_welcome_msg', ms: 5000, left: 1 }],
  ['rate', { kind: 'rate', path: 'externalcontact/*', left: 3 }],
  ['expired', { kind: 'expired', left: 1 }],
  ['busy', { kind: 'busy', share: 0.3 }],
  ['twice', { kind: 'callback.twice', left: 3 }],
  ['late', { kind: 'callback.late', ms: 4000, left: 1 }],
  ['never', { kind: 'callback.never', left: 1 }],
  ['forged', { kind: 'callback.forged', left: 1 }],
] as const satisfies readonly (readonly [string, SimFaultInput])[]

/** What can be made to go wrong, and what goes wrong now. */
export function Faults({ open, onClose, faults }: { open: boolean; onClose: () => void; faults: NonNullable<SimWorld['faults']> }) {
  const { t } = useTranslation('sim')
  const toast = useToast()
  const client = useQueryClient()
  const change = useMutation({
    mutationFn: async (work: () => Promise<unknown>) => work(),
    onSettled: () => client.invalidateQueries({ queryKey: ['sim', 'world'] }),
    onError: toast.failed,
  })
  return (
    <Drawer open={open} onClose={onClose} title={t('faults.title')} width={440}>
      <p className="kp-muted" style={{ marginTop: 0 }}>
        {t('faults.desc')}
      </p>
      {faults.length > 0 && (
        <>
          <h3 className={css.h3}>{t('faults.now')}</h3>
          <ul className={css.faults} data-on>
            {faults.map((f) => (
              <li key={f.id}>
                <span>
                  <b>{t(`faultKind.${f.kind.replace('.', '·')}` as 'faultKind.busy')}</b>
                  <small>
                    {f.path || t('faults.anything')} · {f.left ? t('faults.left', { count: f.left }) : t('faults.until')} · {t('faults.hits', { count: f.hits })}
                  </small>
                </span>
                <Button size="small" icon={<X size={14} aria-hidden />} aria-label={t('faults.remove')} onClick={() => change.mutate(() => removeFault(f.id))} />
              </li>
            ))}
          </ul>
        </>
      )}
      <h3 className={css.h3}>{t('faults.order')}</h3>
      <ul className={css.faults}>
        {ORDERS.map(([key, body]) => (
          <li key={key}>
            <span>
              <b>{t(`fault.${key}.name`)}</b>
              <small>{t(`fault.${key}.desc`)}</small>
            </span>
            <Button size="small" disabled={change.isPending} onClick={() => change.mutate(() => addFault({ ...body }))} aria-label={t('faults.orderOne', { name: t(`fault.${key}.name`) })}>
              {t('faults.add')}
            </Button>
          </li>
        ))}
      </ul>
    </Drawer>
  )
}
