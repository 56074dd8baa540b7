<?php
// The HTTP client of both PHP contenders: one GET on a connection that stays open.
// `$wait` is called before every read: FPM passes a no-op and blocks, the fibers suspend.

declare(strict_types=1);

/** @param resource $stream */
function get($stream, string $path, callable $wait): int
{
    fwrite($stream, "GET $path HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
    $answer = '';
    $end = false;
    $length = 0;
    while ($end === false || strlen($answer) < $end + 4 + $length) {
        $wait($stream);
        $chunk = fread($stream, 65536);
        if (($chunk === '' && feof($stream)) || $chunk === false) {
            throw new RuntimeException('the origin closed the connection');
        }
        $answer .= $chunk;
        if ($end === false && ($end = strpos($answer, "\r\n\r\n")) !== false) {
            if (!preg_match('~^HTTP/1\.1 200 .*?\r\ncontent-length: *(\d+)\r\n~is', $answer, $match)) {
                throw new RuntimeException('not an answer of the origin: ' . substr($answer, 0, 40));
            }
            $length = (int) $match[1];
        }
    }
    return $length;
}
