-- A tree: parent_id is '' at the top. The lead sees what a member sees.
create table team_departments (
  id text not null primary key,
  parent_id text not null,
  name text not null,
  name_key text not null,
  lead_id text not null,
  created_at bigint not null,
  updated_at bigint not null,
  unique (parent_id, name_key)
);
create index team_departments_lead on team_departments (lead_id);

-- A deleted user stays in their departments, so that colleagues go on seeing
-- the customers that nobody took over yet.
create table team_members (
  department_id text not null references team_departments (id),
  user_id text not null references team_users (id),
  primary key (department_id, user_id)
);
create index team_members_user on team_members (user_id);

-- Whose customers a custom role sees: as before this version, everybody's.
alter table team_roles add column breadth text not null default 'all';
alter table team_roles add column unowned bigint not null default 1;
