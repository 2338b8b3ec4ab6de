-- Of which entries of the history the sets are kept by which they are taken back.
-- Not for ever: those of the last changes of a list, and not of old ones.
alter table segment_history add column undo bigint not null default 0;
update segment_history set undo = 1 where action in ('added', 'removed', 'uploaded') and undone_at = 0;
delete from audience_sets where set_key in (select id || '+' from segment_history where undo = 0)
  or set_key in (select id || '-' from segment_history where undo = 0);
create index segment_history_by_undo on segment_history (segment, nth) where undo = 1;
