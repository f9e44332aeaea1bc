-- Releases side by side: each folds and reads builds of its own revisions of the views, under a lease of that name.

alter table view_build add column revision text;
update view_build set revision = view || '-' || version;  -- without a fingerprint: of no release from now on
alter table view_build alter column revision set not null;
comment on column view_build.revision is
    'The version of the view with a fingerprint of its tables, event types and the company''s settings; the name of the '
    'lease under which builds of it are folded.';

drop index view_build_serving, view_build_next;
create unique index view_build_serving on view_build (revision) where state = 'serving';
create unique index view_build_next on view_build (revision) where state in ('requested', 'building');
