package sim

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// The made-up company of a new world. The userids are those of the demo pond's
// staff, so that the directory meets its users by e-mail.
const seedCorpName = "山月茶集"

var seedDepartments = []Department{
	{ID: 1, Name: seedCorpName}, {ID: 2, Name: "门店", ParentID: 1}, {ID: 3, Name: "华东门店", ParentID: 2}, {ID: 4, Name: "华南门店", ParentID: 2},
	{ID: 5, Name: "线上客服", ParentID: 1}, {ID: 6, Name: "品牌增长", ParentID: 1},
}

var seedStaff = []struct {
	id, name, position string
	gender, department int
	leads              bool
	follows            bool
}{
	{"qinghe", "顾清和", "用户运营", 2, 2, true, true},
	{"nanqiao", "许南乔", "增长负责人", 1, 6, true, false},
	{"xingye", "陆星野", "内容", 1, 6, false, false},
	{"yuan", "周予安", "社群运营", 2, 5, true, true},
	{"jianlu", "林见鹿", "华东店长", 2, 3, true, true},
	{"xiaoman", "唐小满", "华南店长", 2, 4, true, true},
	{"zhiqiu", "叶知秋", "茶艺顾问", 2, 3, false, true},
	{"ruyan", "温如言", "茶艺顾问", 1, 3, false, true},
	{"nianan", "苏念安", "茶艺顾问", 2, 4, false, true},
	{"mingyue", "秦明月", "线上顾问", 2, 5, false, true},
}

// seedPeople is how many are in a world when nobody says otherwise.
const seedPeople = 24

var (
	seedSurnames = []rune("王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈")
	seedFemale   = []string{"雨桐", "梓涵", "欣怡", "思雨", "佳琪", "静怡", "婷婷", "晓燕", "诗涵", "若汐", "语嫣", "可馨", "梦瑶", "一诺", "沐晴", "清妍", "书瑶", "嘉怡", "晓彤", "月华"}
	seedMale     = []string{"浩然", "子轩", "宇航", "俊杰", "志强", "文博", "皓轩", "沐阳", "一鸣", "思远", "嘉豪", "博文", "海涛", "晓东", "天宇", "泽楷", "景行", "承泽", "向阳", "明远"}
	seedCities   = []string{"杭州", "上海", "苏州", "南京", "北京", "深圳", "广州", "成都", "武汉", "厦门"}
)

// seedWorld makes the world of a seed.
func seedWorld(seed uint64, now time.Time, people int) *World {
	w := newWorld(seed, now)
	if people == 0 {
		people = seedPeople
	}
	for range max(people, 0) {
		w.invent("", 0)
	}
	c := w.newCorp(seedCorpName)
	for _, d := range seedDepartments {
		d.Order, d.Leaders = 1000-d.ID, []string{}
		c.Departments = append(c.Departments, &d)
	}
	for i, s := range seedStaff {
		m := &Member{UserID: s.id, Name: s.name, Position: s.position, Gender: s.gender, Email: s.id + "@shanyue.example", Mobile: fmt.Sprintf("1380000%04d", 1000+i),
			Departments: []int{s.department}, Status: active, Follows: s.follows}
		if s.leads {
			m.Leads = []int{s.department}
			d := c.department(s.department)
			d.Leaders = append(d.Leaders, s.id)
		}
		c.Staff = append(c.Staff, m)
	}
	c.index()
	for i, g := range []struct {
		name string
		tags []string
	}{{"意向", []string{"高意向", "观望", "只领券"}}, {"喜欢的茶", []string{"绿茶", "白茶", "乌龙", "普洱", "花草茶"}}} {
		group := c.newGroup(w, g.name, 100-i, now)
		for j, t := range g.tags {
			c.newTag(w, group, t, 100-j, now)
		}
	}
	c.newChat(w, c.staff["yuan"], "山月茶友会 1 群", now).Notice = "每周三晚八点新茶品鉴，文明交流。"
	c.newChat(w, c.staff["jianlu"], "华东门店福利群", now)
	c.Kf = append(c.Kf, &KfAccount{ID: w.next("wk", 32), Name: "山月茶集客服", Servants: []string{"mingyue"}})
	w.seedApps()
	return w
}

// newCorp makes a company with one self-built app.
func (w *World) newCorp(name string) *Corp {
	c := &Corp{ID: "ww" + strings.ToLower(w.hexID(16)), Name: name, ShareUnion: true}
	c.Agents = []*Agent{{ID: 1000002, Name: "锦池", Secret: w.next("", 43), Customer: true, Contacts: true, Token: w.next("", 24), AESKey: w.next("", 43)}}
	c.index()
	w.Corps = append(w.Corps, c)
	return c
}

// maxPeople bounds a world.
const maxPeople = 200_000

// invent makes a person; what is not told is made up from the seed.
func (w *World) invent(name string, gender int) *Person {
	id := w.next("p_", 14)
	r := rand.New(rand.NewPCG(w.Seed, w.Serial)) //nolint:gosec // chance of a made-up world
	if gender != 1 && gender != 2 {
		gender = 1 + r.IntN(2)
	}
	if name == "" {
		given := seedFemale
		if gender == 1 {
			given = seedMale
		}
		name = string(seedSurnames[r.IntN(len(seedSurnames))]) + given[r.IntN(len(given))]
	}
	p := &Person{ID: id, Name: name, Gender: gender, City: seedCities[r.IntN(len(seedCities))], Phone: fmt.Sprintf("139%08d", r.IntN(100_000_000)),
		UnionID: "o" + w.derive(27, "union", id)}
	w.People = append(w.People, p)
	w.people[id] = p
	return p
}

// befriendSome lets the first n people know somebody of the staff, since some
// day of the last two months. Nothing is called back: it was before anybody
// listened.
func (w *World) befriendSome(n int) {
	c := w.corp("")
	var able []*Member
	for _, m := range c.Staff {
		if m.Follows && m.Status == active {
			able = append(able, m)
		}
	}
	r := rand.New(rand.NewPCG(w.Seed, 0xF00D)) //nolint:gosec // chance of a made-up world
	for _, p := range w.People[:min(n, len(w.People))] {
		m := able[r.IntN(len(able))]
		ext := w.externalID(c, p)
		f := &Friend{Staff: m.UserID, External: ext, AddWay: addByCode, Oper: ext, Since: w.Born.Add(-time.Duration(1+r.IntN(60*24)) * time.Hour), Chatted: r.IntN(2) == 0}
		for _, g := range c.TagGroups {
			if r.IntN(3) > 0 {
				f.Tags = append(f.Tags, g.Tags[r.IntN(len(g.Tags))].ID)
			}
		}
		c.Friends = append(c.Friends, f)
		c.byStaff[m.UserID] = append(c.byStaff[m.UserID], f)
		c.byExternal[ext] = append(c.byExternal[ext], f)
		p.chat("staff", c.ID, m.UserID).note(w, f.Since, "friends", m.Name)
	}
	for _, g := range c.Groups {
		for _, p := range w.People[:min(n, len(w.People))] {
			if r.IntN(3) == 0 {
				g.Members = append(g.Members, &GroupMember{ID: w.externalID(c, p), Type: 2, Joined: w.Born.Add(-time.Duration(1+r.IntN(30*24)) * time.Hour), Scene: 3})
				p.chat("group", c.ID, g.ID).note(w, w.Born, "joined", g.Name)
			}
		}
	}
}

// followSome lets half of the first n people follow the official account, since some
// day of the last months: before anybody listened, so that nothing is called back.
func (w *World) followSome(n int) {
	a, err := w.findApp("", AppOfficial)
	if err != nil {
		return
	}
	r := rand.New(rand.NewPCG(w.Seed, 0xFA25)) //nolint:gosec // chance of a made-up world
	for _, p := range w.People[:min(n, len(w.People))] {
		if r.IntN(2) == 0 {
			continue
		}
		f := a.fan(w.openID(a, p))
		f.Follows, f.From, f.Since = true, "ADD_SCENE_SEARCH", w.Born.Add(-time.Duration(1+r.IntN(90*24))*time.Hour)
		w.appChat(p, a).note(w, f.Since, "followed", a.Name)
	}
}
