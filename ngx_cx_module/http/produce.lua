-- Appends one numbered batch to a stream, once however often it is sent, and
-- never before the one that was sent ahead of it.
--
-- KEYS  1 stream  2 number of the last batch taken from this producer
-- ARGV  1 number of this batch  2 number of the one sent before it on the same
--       connection; 0 for the first, which is taken if it is newer at all
--       3 MAXLEN of the stream, the last resort against an aggregator that is
--       gone  4 seconds the number is kept
--       5 number of types, for each: code, n, n names of its entry; then for
--       each event: code of its type, its n values
--
-- Returns { 1, entries trimmed }, { 0, last number } if it is already there,
-- { -1, last number } if the one before it is not: then nothing was done.
--
-- A command that fails (wrong type, out of memory, read-only) does so before
-- the first entry is added: the number is looked at first and set last, and
-- that it may be set at all is tried with a producer's first batch.

local call = redis.call
local seq, prev = tonumber(ARGV[1]), tonumber(ARGV[2])
local last = tonumber(call('GET', KEYS[2]) or -1)

-- To have it is no use if a master says so that was replaced while it hung, and
-- has it from a connection that was given up.  A write is what it refuses
-- (min-replicas-to-write, READONLY), a reply it would not.

if seq <= last then
    call('EXPIRE', KEYS[2], ARGV[4])
    return { 0, last }
end

if prev > 0 and last < prev then
    return { -1, math.max(last, 0) }
end

if last < 0 then
    call('SET', KEYS[2], 0, 'EX', ARGV[4])
end

local entries, counts = {}, {}
local at = 6

for _ = 1, tonumber(ARGV[5]) do
    local code, n = ARGV[at], tonumber(ARGV[at + 1])
    local entry = { 'XADD', KEYS[1], '*' }

    for i = 1, n do
        entry[2 * i + 2] = ARGV[at + 1 + i]
        entry[2 * i + 3] = ''
    end

    entries[code], counts[code] = entry, n
    at = at + 2 + n
end

local stop = #ARGV

while at <= stop do
    local entry, n = entries[ARGV[at]], counts[ARGV[at]]

    for i = 1, n do
        entry[2 * i + 3] = ARGV[at + i]
    end

    call(unpack(entry))
    at = at + 1 + n
end

call('SET', KEYS[2], ARGV[1], 'EX', ARGV[4])

return { 1, call('XTRIM', KEYS[1], 'MAXLEN', '~', ARGV[3]) }
