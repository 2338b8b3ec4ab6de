package mail

import "context"

// Knock connects and signs in.
func Knock(ctx context.Context, c *Client) error {
	w, err := c.dial(ctx)
	if err == nil {
		return w.Close()
	}
	if e, ok := err.(*Error); ok {
		if e.act == stop {
			c.env.Refused(ctx, e)
		}
		return e.react(c.env.Clock.Now())
	}
	return err
}
