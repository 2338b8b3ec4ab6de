import { CircleCheck, RotateCcw, Undo2 } from 'lucide-react'
import { useTranslation } from 'react-i18next'
import type { Order, OrderState } from '@/shared/api/types'
import { Chip, type Tone } from '@/shared/ui/chips'

const LOOK: Record<OrderState, { tone: Tone; icon: typeof RotateCcw }> = {
  paid: { tone: 'good', icon: CircleCheck },
  partly_refunded: { tone: 'warn', icon: Undo2 },
  refunded: { tone: 'bad', icon: RotateCcw },
}

/** How far an order got. A refund whose order nobody knows says so. */
export function OrderStateChip({ order }: { order: Pick<Order, 'state' | 'type'> }) {
  const { t } = useTranslation('orders')
  if (order.type === 'refund') {
    return (
      <Chip tone="rose" icon={<RotateCcw size={12} aria-hidden />}>
        {t('state.loneRefund')}
      </Chip>
    )
  }
  const { tone, icon: Icon } = LOOK[order.state]
  return (
    <Chip tone={tone} icon={<Icon size={12} aria-hidden />}>
      {t(`state.${order.state}`)}
    </Chip>
  )
}
