package db

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"time"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrations are the tables that the platform itself needs: sequences and outbox.
func Migrations() Set {
	sub, _ := fs.Sub(migrations, "migrations") // cannot fail: the folder is embedded above
	return Set{Domain: "db", FS: sub}
}

// Reserve hands out n consecutive numbers of the named sequence and returns
// the first; the first ever is 1. It joins the transaction of ctx: a roll-back
// gives the numbers back, so they stay dense.
func (d *DB) Reserve(ctx context.Context, name string, n int64) (first int64, err error) {
	err = d.Tx(ctx, func(ctx context.Context) error {
		var next int64
		err := d.QueryRow(ctx, `insert into sequences (name, next) values ($1, $2 + 1)
			on conflict (name) do update set next = sequences.next + $2 returning next`, name, n).Scan(&next)
		first = next - n
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("reserve %s: %w", name, err)
	}
	return first, nil
}

// Outgoing is one row of the outbox.
type Outgoing struct {
	ID      int64
	Topic   string
	Payload []byte
}

// Enqueue writes a message to the outbox in the transaction of ctx.
func (d *DB) Enqueue(ctx context.Context, topic string, payload []byte) error {
	return d.Tx(ctx, func(ctx context.Context) error {
		n, err := d.Reserve(ctx, "outbox", 1)
		if err != nil {
			return err
		}
		_, err = d.Exec(ctx, "insert into outbox (id, topic, payload, created_at) values ($1,$2,$3,$4)",
			n, topic, string(payload), time.Now().UnixMilli())
		if err != nil {
			return fmt.Errorf("enqueue %s: %w", topic, err)
		}
		return nil
	})
}

// Pending reads the oldest outbox rows of a topic, in order.
func (d *DB) Pending(ctx context.Context, topic string, limit int) ([]Outgoing, error) {
	rows, err := d.Query(ctx, "select id, topic, payload from outbox where topic = $1 order by id limit $2", topic, limit)
	if err != nil {
		return nil, fmt.Errorf("read outbox: %w", err)
	}
	defer rows.Close()
	var out []Outgoing
	for rows.Next() {
		var o Outgoing
		var p string
		if err := rows.Scan(&o.ID, &o.Topic, &p); err != nil {
			return nil, err
		}
		o.Payload = []byte(p)
		out = append(out, o)
	}
	return out, rows.Err()
}

// Sent removes relayed outbox rows up to and including id.
func (d *DB) Sent(ctx context.Context, topic string, upTo int64) error {
	_, err := d.Exec(ctx, "delete from outbox where topic = $1 and id <= $2", topic, upTo)
	return err
}
