-- Appends one numbered batch to a site's stream, once however often it is sent.
--
-- KEYS  1 stream  2 marks of the batches this producer has sent
-- ARGV  1 sequence  2 MAXLEN of the stream, the last resort against an
--       aggregator that is gone  3 seconds the marks are kept, then for each
--       event: n, and the n strings of its entry: names and values in turn
--
-- Returns { 1 new | 0 already there, entries trimmed }.
--
-- Marks are looked at first and set last: a command that fails (wrong type, out
-- of memory) does so before the first entry is added, and changes nothing.

local seq = ARGV[1]

if redis.call('HEXISTS', KEYS[2], seq) == 1 then
    return { 0, 0 }
end

local i, n = 4, #ARGV

while i <= n do
    local count = tonumber(ARGV[i])
    redis.call('XADD', KEYS[1], '*', unpack(ARGV, i + 1, i + count))
    i = i + 1 + count
end

redis.call('HSET', KEYS[2], seq, 1)
redis.call('HDEL', KEYS[2], tonumber(seq) - 1000)
redis.call('EXPIRE', KEYS[2], ARGV[3])

return { 1, redis.call('XTRIM', KEYS[1], 'MAXLEN', '~', ARGV[2]) }
