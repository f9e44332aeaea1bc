-- compatible-with: 0010
-- Under which secret the keys of claims are hashed: a fingerprint, kept by the first process that starts, so that no later
-- one hashes under another secret and finds every key free.

create table claim_secret (
    one           boolean primary key default true check (one),
    fingerprint   bytea not null check (octet_length(fingerprint) = 32),
    first_used_at timestamptz not null default clock_timestamp()
);
comment on column claim_secret.fingerprint is 'HMAC-SHA256 of a constant under CLAIM_SECRET. Never the secret.';
