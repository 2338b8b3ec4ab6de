import { screen, waitFor } from '@testing-library/react'
import userEvent from '@testing-library/user-event'
import { describe, expect, it } from 'vitest'
import { renderPage, someone } from '../../../test/render'
import { ConnectAccount } from './ConnectAccount'

const open = (permissions: string[]) => renderPage(<ConnectAccount />, { at: '/live-codes', path: '/live-codes', me: someone({ permissions }) })

describe('the way on from a page that needs an account', () => {
  it('leads who may connect one to the accounts', async () => {
    open(['connector.write'])
    await userEvent.click(await screen.findByRole('button', { name: '连接平台账号' }))
    await waitFor(() => expect(screen.getByTestId('where').textContent).toBe('/connectors'))
  })

  it('tells everybody else whom to ask', async () => {
    open(['acquire.write'])
    expect(await screen.findByText('请管理员连接平台账号。')).toBeTruthy()
    expect(screen.queryByRole('button')).toBeNull()
  })
})
