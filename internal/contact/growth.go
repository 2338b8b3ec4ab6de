package contact

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
)

// Growth counts persons by when they came. Before[i] is how many came before
// the i-th edge; Channels says the same by first-touch channel, for the last edge.
type Growth struct {
	Before   []int64
	Channels map[string]ChannelGrowth
}

// ChannelGrowth is one channel's part: all before the last edge, and those
// between the first and the last.
type ChannelGrowth struct{ Size, New int64 }

// growthGrain is the finest width by which arrivals are counted: every time
// zone's days begin on a multiple of it.
const growthGrain = 15 * time.Minute

// Growth answers for persons that are shown (merged ones count as their
// survivor), of some first-touch channels or, with none, of all. Edges ascend; all
// but the first and last are cut to a quarter of an hour.
func (s *Service) Growth(ctx context.Context, edges []time.Time, channels ...string) (Growth, error) {
	g := Growth{Before: make([]int64, len(edges)), Channels: map[string]ChannelGrowth{}}
	if len(edges) == 0 {
		return g, nil
	}
	ms := make([]int64, len(edges))
	for i, e := range edges {
		ms[i] = clock.Ms(e)
	}
	first, last := ms[0], ms[len(ms)-1]
	if err := s.growthByChannel(ctx, &g, first, last, channels); err != nil {
		return g, fmt.Errorf("count contacts by channel: %w", err)
	}
	var size, fresh int64
	for _, c := range g.Channels {
		size, fresh = size+c.Size, fresh+c.New
	}
	g.Before[0], g.Before[len(ms)-1] = size-fresh, size
	if len(ms) == 2 {
		return g, nil
	}
	if err := s.growthByTime(ctx, &g, ms, channels); err != nil {
		return g, fmt.Errorf("count contacts over time: %w", err)
	}
	return g, nil
}

// FirstBuyers counts, by first-touch channel, the persons whose first order lies
// within a period.
func (s *Service) FirstBuyers(ctx context.Context, from, to time.Time, channels ...string) (map[string]int64, error) {
	cond, args := ofChannels(channels, 3)
	rows, err := s.DB.Query(ctx, `select channel, count(*) from contacts where shown = 1 and first_order_at > 0
		and first_order_at >= $1 and first_order_at < $2`+cond+` group by channel`, append([]any{clock.Ms(from), clock.Ms(to)}, args...)...)
	out := map[string]int64{}
	err = scanAll(rows, err, "count first buyers", func(r *sql.Rows) error {
		var name string
		var n int64
		err := r.Scan(&name, &n)
		if name == "" {
			name = Unknown
		}
		out[name] += n
		return err
	})
	return out, err
}

func ofChannels(channels []string, n int) (string, []any) {
	if len(channels) == 0 {
		return "", nil
	}
	args := make([]any, 0, len(channels)+1)
	for _, c := range channels {
		args = append(args, c)
	}
	if slices.Contains(channels, Unknown) {
		args = append(args, "")
	}
	return " and channel in (" + db.In(n, len(args)) + ")", args
}

func (s *Service) growthByChannel(ctx context.Context, g *Growth, first, last int64, channels []string) error {
	cond, args := ofChannels(channels, 4)
	rows, err := s.DB.Query(ctx, `select channel, count(*), sum(case when created_at >= $1 then 1 else 0 end)
		from contacts where shown = $3 and created_at < $2`+cond+` group by channel`, append([]any{first, last, int64(1)}, args...)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var c ChannelGrowth
		if err := rows.Scan(&name, &c.Size, &c.New); err != nil {
			return err
		}
		if name == "" {
			name = Unknown
		}
		old := g.Channels[name]
		g.Channels[name] = ChannelGrowth{Size: old.Size + c.Size, New: old.New + c.New}
	}
	return rows.Err()
}

func (s *Service) growthByTime(ctx context.Context, g *Growth, edges []int64, channels []string) error {
	grain := growthGrain.Milliseconds()
	cond, args := ofChannels(channels, 5)
	rows, err := s.DB.Query(ctx, `select created_at / $4, count(*) from contacts
		where shown = $3 and created_at >= $1 and created_at < $2`+cond+` group by created_at / $4`,
		append([]any{edges[0], edges[len(edges)-1], int64(1), grain}, args...)...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var slot, n int64
		if err := rows.Scan(&slot, &n); err != nil {
			return err
		}
		// the first edge after the slot's beginning: those before it do not count the slot
		i, _ := slices.BinarySearch(edges, slot*grain+1)
		for i = max(i, 1); i < len(edges)-1; i++ {
			g.Before[i] += n
		}
	}
	for i := 1; i < len(edges)-1; i++ {
		g.Before[i] += g.Before[0]
	}
	return rows.Err()
}
