<?php

declare(strict_types=1);

namespace Ferrite\Cli;

/** `ferrite ctl`: asks a running server by its admin listener, and tells it what to do. */
final class Ctl
{
    public const HELP = <<<'TEXT'
        Asks a running server how it stands, and tells it what to do, by its admin listener (the option admin_listen).

        usage: ferrite ctl [OPTION ...] COMMAND

          status     how the server stands
          workers    what each worker does, and since when
          options    the effective options
          metrics    all figures, as Prometheus reads them
          health     whether the reactor answers
          ready      whether the server is to get requests
          reload     replace the workers, without losing a request
          drain      let /readyz say no, so that load balancers send no more; the server serves on
          stop       stop the server: requests in flight are finished

          --socket PLACE   the path of the Unix socket, or an address as 127.0.0.1:9502; also by the environment
                           variable FERRITE_ADMIN
          --token TOKEN    admin_token, where the address wants one; better by FERRITE_ADMIN_TOKEN
          --timeout SECS   how long to wait for an answer (default: 5)
          --json           as JSON; metrics are those of stats() then
          --help           this text

        Exit codes: 0 done, or yes; 1 it did not work, or no; 2 the command line is wrong; 3 no server answers there.
        TEXT;

    /** Method, path, and whether the answer is JSON. */
    private const COMMANDS = [
        'status' => ['GET', '/status', true],
        'workers' => ['GET', '/workers', true],
        'options' => ['GET', '/options', true],
        'metrics' => ['GET', '/metrics', false],
        'health' => ['GET', '/healthz', false],
        'ready' => ['GET', '/readyz', false],
        'reload' => ['POST', '/reload', true],
        'drain' => ['POST', '/drain', true],
        'stop' => ['POST', '/stop', true],
    ];

    /** More than any answer has. */
    private const ANSWER_BYTES_MAX = 16 << 20;

    public function __construct(private readonly Output $output)
    {
    }

    /** @param list<string> $line */
    public function run(array $line): int
    {
        $arguments = new Arguments($line, ['socket' => true, 'token' => true, 'timeout' => true, 'json' => false], 1);
        $command = $arguments->words[0] ?? null;
        if ($arguments->has('help') || $command === null) {
            $this->output->text(self::HELP);
            return $arguments->has('help') ? 0 : 2;
        }
        [$method, $path, $isJson] = self::COMMANDS[$command]
            ?? throw UsageError::unknown('command', $command, array_keys(self::COMMANDS));
        if ($command === 'metrics' && $arguments->has('json')) {
            $path = '/status';
        }
        $place = $arguments->text('socket', (string) getenv('FERRITE_ADMIN'));
        if ($place === '') {
            throw new UsageError('Where is the server? Say --socket PATH, as the option admin_listen has it.');
        }
        $timeout = $arguments->number('timeout', 1, 3600) ?? 5;
        $token = $arguments->text('token', (string) getenv('FERRITE_ADMIN_TOKEN'));
        try {
            [$status, $body] = self::ask($place, $method, $path, $token, (float) $timeout);
        } catch (Unreachable $error) {
            $this->output->error($error->getMessage());
            return 3;
        }
        return $this->tell($command, $status, $body, $isJson, $arguments->has('json'));
    }

    private function tell(string $command, int $status, string $body, bool $isJson, bool $asJson): int
    {
        $done = $status >= 200 && $status < 300;
        $isAnswer = $done || ($command === 'ready' && $status === 503);
        if (!$isAnswer) {
            throw new Failure("The server answers $status: " . trim($body));
        }
        if ($asJson && !$isJson) {
            $body = match ($command) {
                'metrics' => self::json(json_decode($body, true, 32, JSON_THROW_ON_ERROR)['stats']),
                default => self::json([$command => $done, 'message' => trim($body)]),
            };
        } elseif (!$asJson && $isJson) {
            $data = json_decode($body, true, 32, JSON_THROW_ON_ERROR);
            $body = match ($command) {
                'status' => self::status($data),
                'workers' => self::workers($data),
                'options' => self::options($data),
                default => $data['message'],
            };
        }
        $this->output->text(rtrim($body, "\n"));
        return $done ? 0 : 1;
    }

    /** @param array<string, mixed> $data */
    private static function json(array $data): string
    {
        return json_encode($data, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE);
    }

    /** @param array<string, mixed> $status */
    private static function status(array $status): string
    {
        $workers = [];
        foreach ($status['workers'] as $state => $count) {
            $workers[] = "$count $state";
        }
        $stats = $status['stats'];
        $times = $status['duration_seconds']['total'];
        $lines = [
            'state' => $status['state'] . ($status['ready'] ? '' : ', not ready: ' . $status['reason']),
            'version' => $status['version'],
            'up' => self::span((float) $status['uptime_seconds']),
            'workers' => implode(', ', $workers),
            'queue' => $status['queue']['count'] . ' of ' . $status['queue']['max'],
            'clients' => $status['connections']['count'] . ' of ' . $status['connections']['max'] . ' connections',
            'requests' => "{$stats['request_count']} received, {$stats['concurrency']} in the server, {$stats['shed_count']} shed, "
                . "{$stats['lost_count']} lost with their worker, {$stats['given_up_count']} left by their client",
            'restarts' => "{$stats['worker_restart_count']} of workers that died, {$stats['reactor_restart_count']} of the reactor",
        ];
        if ($times['count'] > 0) {
            $lines['times'] = sprintf('p50 %s, p90 %s, p99 %s', ...array_map(self::span(...), [$times['p50'], $times['p90'], $times['p99']]));
        }
        return self::pairs($lines);
    }

    /** @param list<array<string, mixed>> $workers */
    private static function workers(array $workers): string
    {
        $now = microtime(true);
        $rows = [['WORKER', 'PID', 'STATE', 'UP', 'REQUESTS', 'RESTARTS', 'MEMORY', 'DOES']];
        foreach ($workers as $worker) {
            $doing = $worker['doing'];
            $rows[] = [
                (string) $worker['worker'],
                (string) ($worker['pid'] ?? '-'),
                $worker['state'],
                $worker['since'] === null ? '-' : self::span($now - $worker['since']),
                (string) $worker['requests'],
                (string) $worker['restarts'],
                $worker['rss_bytes'] === null ? '-' : round($worker['rss_bytes'] / 1048576, 1) . ' MiB',
                $doing === null ? '' : self::plain($doing['request'])
                    . (isset($doing['request_id']) ? " [request_id=$doing[request_id]]" : '')
                    . ' for ' . self::span((float) $doing['seconds']),
            ];
        }
        return self::table($rows);
    }

    /** @param array<string, mixed> $options */
    private static function options(array $options): string
    {
        $shown = static function (array $of): string {
            $lines = [];
            foreach ($of as $name => $option) {
                $lines[$name] = array_key_exists('value', $option)
                    ? self::plain(self::json_value($option['value']))
                    : $option['default'] . ' (default)';
            }
            return self::pairs($lines);
        };
        $text = "server\n" . $shown($options['options']) . "\n";
        foreach ($options['ports'] as $port) {
            $text .= "\nport " . self::plain($port['listen']) . "\n" . $shown($port['options']) . "\n";
        }
        return $text;
    }

    private static function json_value(mixed $value): string
    {
        return json_encode($value, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE);
    }

    /** What clients have sent may hold what a terminal obeys. */
    private static function plain(string $text): string
    {
        return (string) preg_replace('/[^\x20-\x7e\x{a0}-\x{10ffff}]/u', '?', preg_match('//u', $text) ? $text : (string) preg_replace('/[^\x20-\x7e]/', '?', $text));
    }

    /** @param array<string, string|int> $lines */
    private static function pairs(array $lines): string
    {
        $width = max(array_map('strlen', array_keys($lines)) ?: [0]);
        $text = '';
        foreach ($lines as $name => $value) {
            $text .= str_pad($name, $width) . "  $value\n";
        }
        return rtrim($text, "\n");
    }

    /** @param list<list<string>> $rows */
    private static function table(array $rows): string
    {
        $widths = [];
        foreach ($rows as $row) {
            foreach ($row as $column => $cell) {
                $widths[$column] = max($widths[$column] ?? 0, strlen($cell));
            }
        }
        $lines = [];
        foreach ($rows as $row) {
            $cells = array_map(static fn (string $cell, int $width): string => str_pad($cell, $width), $row, $widths);
            $lines[] = rtrim(implode('  ', $cells));
        }
        return implode("\n", $lines);
    }

    /** A time in the unit that fits. */
    private static function span(?float $seconds): string
    {
        return match (true) {
            $seconds === null => '-',
            $seconds < 0.001 => round(max(0.0, $seconds) * 1e6) . ' us',
            $seconds < 1.0 => round($seconds * 1e3, 1) . ' ms',
            $seconds < 120.0 => round($seconds, 1) . ' s',
            $seconds < 7200.0 => intdiv((int) $seconds, 60) . ' min',
            $seconds < 172800.0 => intdiv((int) $seconds, 3600) . ' h',
            default => intdiv((int) $seconds, 86400) . ' days',
        };
    }

    /** @return array{int, string} status and content */
    private static function ask(string $place, string $method, string $path, string $token, float $timeout): array
    {
        $isPath = str_contains($place, '/');
        $target = $isPath ? 'unix://' . preg_replace('~^unix:~', '', $place) : "tcp://$place";
        $stream = @stream_socket_client($target, $code, $error, $timeout);
        if ($stream === false) {
            $advice = match (true) {
                str_contains($error, 'Permission denied') => 'Only the user who has started it may ask.',
                default => 'Does the server run, and is this what admin_listen says?',
            };
            throw new Unreachable("No server answers at $place: $error. $advice");
        }
        $deadline = microtime(true) + $timeout;
        $host = $isPath ? 'localhost' : $place;
        $request = "$method $path HTTP/1.1\r\nHost: $host\r\nConnection: close\r\nFerrite-Control: 1\r\n"
            . ($token === '' ? '' : 'Authorization: Bearer ' . preg_replace('/[^\x21-\x7e]/', '', $token) . "\r\n")
            . ($method === 'POST' ? "Content-Length: 0\r\n" : '') . "\r\n";
        fwrite($stream, $request);
        $answer = '';
        while (!feof($stream) && strlen($answer) < self::ANSWER_BYTES_MAX) {
            $left = $deadline - microtime(true);
            if ($left <= 0.0) {
                throw new Unreachable("The server at $place has not answered within $timeout s: its reactor may hang.");
            }
            stream_set_timeout($stream, (int) $left, (int) (fmod($left, 1.0) * 1e6));
            $answer .= (string) fread($stream, 65536);
        }
        fclose($stream);
        if (!preg_match('~^HTTP/1\.1 (\d{3}) [^\r]*\r\n.*?\r\n\r\n~s', $answer, $found) || stripos($found[0], "\r\nFerrite-Admin:") === false) {
            throw new Unreachable("What answers at $place is no admin listener of Ferrite.");
        }
        return [(int) $found[1], substr($answer, strlen($found[0]))];
    }
}
