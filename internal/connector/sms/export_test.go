package sms

import "context"

// Fresh asks the platform for its templates, whatever is remembered of them.
func Fresh(ctx context.Context, c *Client) error {
	c.list.mu.Lock()
	c.list.items = nil
	c.list.mu.Unlock()
	_, err := c.Templates(ctx)
	return err
}
