package contact

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"time"

	"github.com/koipond/koipond/internal/platform/clock"
	"github.com/koipond/koipond/internal/platform/db"
	"github.com/koipond/koipond/internal/platform/errs"
)

// TagUsage tells how a tag is used.
type TagUsage struct {
	Tag          TagRef     `json:"tag"`
	People       int64      `json:"people" doc:"People who have this very tag"`
	WithChildren int64      `json:"withChildren" doc:"People who have it or one below it"`
	FirstDay     string     `json:"firstDay" format:"date" doc:"Day of the first figure"`
	Added        []int64    `json:"added" doc:"How often it was given on each of the last 30 days"`
	Removed      []int64    `json:"removed" doc:"How often it was taken on each of the last 30 days"`
	Givers       []TagGiver `json:"givers" doc:"Who or what gave it in the last 30 days, the most first"`
	UsedAt       *time.Time `json:"usedAt,omitempty"`
	Uses         []Use      `json:"uses" doc:"Places that refer to it"`
	Unused       bool       `json:"unused" doc:"Nobody has it and it was not given for 90 days"`
}

// TagGiver is who or what gave a tag, and how often.
type TagGiver struct {
	Source string `json:"source" enum:"manual,api,import,bulk,file,merge,undo,settle,delete,rule,score,model,code,outside"`
	Name   string `json:"name,omitempty"`
	Added  int64  `json:"added"`
}

// tagUnused is after how long without use a tag nobody has is worth a hint.
const tagUnused = 90 * 24 * time.Hour

// TagUsage reads how a tag is used.
func (s *Service) TagUsage(ctx context.Context, id string) (TagUsage, error) {
	u := TagUsage{Added: make([]int64, trendDays), Removed: make([]int64, trendDays), Givers: []TagGiver{}}
	infos, err := s.tagInfos(ctx, []string{id})
	if err != nil {
		return u, err
	}
	t, ok := infos[id]
	if !ok {
		return u, errs.New(errs.NotFound, "contact.tag_not_found")
	}
	u.Tag = t.TagRef
	var used, made int64
	if err := s.DB.QueryRow(ctx, "select used_at, created_at from tags where id = $1", t.ID).Scan(&used, &made); err != nil {
		return u, fmt.Errorf("read tag: %w", err)
	}
	u.UsedAt = timeOrNil(used)
	if err := s.DB.QueryRow(ctx, "select count(*) from contact_tags where tag = $1 and shown = 1", t.ID).Scan(&u.People); err != nil {
		return u, fmt.Errorf("count people of tag: %w", err)
	}
	below, err := s.TagsBelow(ctx, []string{t.ID}, true)
	if err != nil {
		return u, err
	}
	u.WithChildren = u.People
	if len(below) > 1 {
		args := make([]any, len(below))
		for i, b := range below {
			args[i] = b
		}
		if err := s.DB.QueryRow(ctx, "select count(distinct contact) from contact_tags where shown = 1 and tag in ("+db.In(1, len(below))+")", args...).Scan(&u.WithChildren); err != nil {
			return u, fmt.Errorf("count people of tags: %w", err)
		}
	}
	now := s.Clock.Now()
	from := s.dayOf(ctx, now.UnixMilli()) - trendDays + 1
	u.FirstDay = clock.FromMs(from * (24 * time.Hour).Milliseconds()).UTC().Format(time.DateOnly)
	rows, err := s.DB.Query(ctx, "select day, sum(added), sum(removed) from tag_days where tag = $1 and day >= $2 group by day", t.ID, from)
	err = scanAll(rows, err, "read days of tag", func(r *sql.Rows) error {
		var day, added, removed int64
		err := r.Scan(&day, &added, &removed)
		if at := day - from; at < trendDays {
			u.Added[at], u.Removed[at] = added, removed
		}
		return err
	})
	if err != nil {
		return u, err
	}
	rows, err = s.DB.Query(ctx, `select source, max(by_name), sum(added) from tag_days where tag = $1 and day >= $2 and added > 0
		group by source, by_id order by 3 desc, source, 2 limit 20`, t.ID, from)
	err = scanAll(rows, err, "read givers of tag", func(r *sql.Rows) error {
		var g TagGiver
		err := r.Scan(&g.Source, &g.Name, &g.Added)
		u.Givers = append(u.Givers, g)
		return err
	})
	if err != nil {
		return u, err
	}
	u.Unused = u.WithChildren == 0 && now.Sub(clock.FromMs(max(used, made))) > tagUnused
	u.Uses, err = s.Uses(ctx, Term{Tag: &t.TagRef})
	return u, err
}

// TagGiven tells who or what gave a contact a tag, when, and by which work.
type TagGiven struct {
	At     time.Time `json:"at"`
	Source string    `json:"source" enum:"manual,api,import,bulk,file,merge,undo,settle,delete,rule,score,model,code,outside"`
	By     string    `json:"by,omitempty" doc:"Name of the user, token or model; version of the rule or score"`
	Import *Ref      `json:"import,omitempty"`
	Run    *Ref      `json:"run,omitempty" doc:"Work on many contacts"`
	// Weight and Ends are those of a tag that is given by what a contact does, or by a model.
	Weight *float64   `json:"weight,omitempty" doc:"What it weighs just now, of tags that are given by score or by a model"`
	Ends   *time.Time `json:"ends,omitempty" doc:"When the weight will have faded so far that the tag goes"`
}

// addGiven tells of each tag of a contact where it is from.
func (s *Service) addGiven(ctx context.Context, c *Contact) error {
	if len(c.Tags) == 0 {
		return nil
	}
	at := map[string]int{}
	for i, t := range c.Tags {
		at[t.ID] = i
	}
	imports := map[string]string{}
	rows, err := s.DB.Query(ctx, `select ct.tag, ct.at, ct.source, ct.by_name, ct.import_id, ct.run, coalesce(r.title, '') from contact_tags ct
		left join tag_runs r on r.id = ct.run where ct.contact = $1`, c.num)
	err = scanAll(rows, err, "read who gave tags", func(r *sql.Rows) error {
		var tag, imp, run, title string
		var ms int64
		g := &TagGiven{}
		if err := r.Scan(&tag, &ms, &g.Source, &g.By, &imp, &run, &title); err != nil {
			return err
		}
		g.At = clock.FromMs(ms)
		if imp != "" {
			g.Import = &Ref{ID: imp}
			imports[imp] = ""
		}
		if run != "" && title != "" {
			g.Run = &Ref{run, title}
		}
		if i, ok := at[tag]; ok {
			c.Tags[i].Given = g
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.addWeights(ctx, c); err != nil || len(imports) == 0 || s.Imports == nil {
		return err
	}
	names, err := s.Imports.Names(ctx, sortedKeys(imports))
	if err != nil {
		return fmt.Errorf("name imports: %w", err)
	}
	for i := range c.Tags {
		if g := c.Tags[i].Given; g != nil && g.Import != nil {
			g.Import.Name = names[g.Import.ID]
		}
	}
	return nil
}

// addWeights tells of each tag of a contact what it weighs, where it has a weight.
func (s *Service) addWeights(ctx context.Context, c *Contact) error {
	if s.auto == nil {
		return nil
	}
	weights, err := s.auto.Weights(ctx, c.num)
	if err != nil {
		return fmt.Errorf("read weights of tags: %w", err)
	}
	for i := range c.Tags {
		w, ok := weights[c.Tags[i].ID]
		if g := c.Tags[i].Given; ok && g != nil {
			weight := math.Round(w.Weight*10) / 10
			g.Weight, g.Ends = &weight, timeOrNil(w.Ends)
		}
	}
	return nil
}
