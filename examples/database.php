<?php

// A pool of database connections: one for each worker, which handles one request at a time.
//
//   DATABASE_DSN='mysql:unix_socket=/run/mysqld/mysqld.sock;dbname=notes' DATABASE_USER=me DATABASE_PASSWORD=secret \
//     php -d extension=ferrite examples/database.php [--port PORT] [--workers N] [--idle SECONDS]
//
//   curl -d 'text=milk' http://127.0.0.1:9501/notes
//   curl http://127.0.0.1:9501/notes
//   curl http://127.0.0.1:9501/connection
//
// So there are as many connections as workers, however many clients there are. A connection is opened in WorkerStart:
// one that the script opens before start() would be the same socket in every worker. One that was idle is asked whether
// it is there before it is used; one that is lost, as the database was restarted, is opened again.

declare(strict_types=1);

use Ferrite\Http\Request;
use Ferrite\Http\Response;
use Ferrite\Http\Server;

/** The connection of one worker. */
final class Database
{
    /** What MariaDB and MySQL call a connection that is gone: the client's numbers, shutdown, killed, timed out. */
    private const LOST = [2002, 2003, 2006, 2013, 2055, 1053, 1927, 4031];

    private ?PDO $connection = null;
    private float $lastUse = 0.0;

    /** @param float $idle after so many seconds without a use it is asked whether it is there */
    public function __construct(
        private readonly string $dsn,
        private readonly string $user,
        #[SensitiveParameter] private readonly string $password,
        private readonly float $idle,
    ) {}

    public function open(): PDO
    {
        $this->connection = new PDO($this->dsn, $this->user, $this->password, [
            PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
            PDO::ATTR_DEFAULT_FETCH_MODE => PDO::FETCH_ASSOC,
            PDO::ATTR_EMULATE_PREPARES => false,
            // A worker waits for nobody for ever.
            PDO::ATTR_TIMEOUT => 3,
        ]);
        $this->lastUse = microtime(true);
        return $this->connection;
    }

    /**
     * Reads. When the connection is lost meanwhile, it is opened again and $work is called again, once: to read twice
     * does no harm.
     *
     * @template T
     * @param callable(PDO): T $work
     * @return T
     */
    public function read(callable $work): mixed
    {
        try {
            return $work($this->connection());
        } catch (PDOException $error) {
            $this->forgetIfLost($error);
            if ($this->connection !== null) {
                throw $error;
            }
            return $work($this->open());
        } finally {
            $this->lastUse = microtime(true);
        }
    }

    /**
     * Changes, in a transaction. When the connection was lost before it, nothing has been done, and it is opened again.
     * When it is lost later, nobody knows whether the transaction was committed: that is the caller's to tell.
     *
     * @template T
     * @param callable(PDO): T $work
     * @return T
     */
    public function write(callable $work): mixed
    {
        $connection = $this->connection();
        try {
            $connection->beginTransaction();
        } catch (PDOException $error) {
            $this->forgetIfLost($error);
            if ($this->connection !== null) {
                throw $error;
            }
            $connection = $this->open();
            $connection->beginTransaction();
        }
        try {
            $result = $work($connection);
            $connection->commit();
            return $result;
        } catch (Throwable $error) {
            try {
                $connection->rollBack();
            } catch (PDOException) {
                // It is gone, and the transaction with it.
                $this->connection = null;
            }
            throw $error;
        } finally {
            $this->lastUse = microtime(true);
        }
    }

    /** The connection, which is there unless it was lost within the last moments. */
    private function connection(): PDO
    {
        if ($this->connection === null) {
            return $this->open();
        }
        if (microtime(true) - $this->lastUse >= $this->idle) {
            try {
                $this->connection->exec('DO 1');
            } catch (PDOException $error) {
                $this->forgetIfLost($error);
                return $this->connection ?? $this->open();
            }
        }
        return $this->connection;
    }

    private function forgetIfLost(PDOException $error): void
    {
        if (in_array($error->errorInfo[1] ?? null, self::LOST, true)) {
            $this->connection = null;
        }
    }
}

$options = getopt('', ['port:', 'workers:', 'idle:']);
$server = new Server('127.0.0.1', (int) ($options['port'] ?? 9501));
$server->set(['worker_num' => (int) ($options['workers'] ?? 4)]);

$server->on('Start', function (Server $server) {
    echo "Notes of a database at http://127.0.0.1:$server->port/notes\n";
});

$database = new Database(
    getenv('DATABASE_DSN') ?: 'mysql:host=127.0.0.1;dbname=notes',
    getenv('DATABASE_USER') ?: 'root',
    getenv('DATABASE_PASSWORD') ?: '',
    (float) ($options['idle'] ?? 30.0),
);

$server->on('WorkerStart', function (Server $server, int $workerId) use ($database) {
    try {
        $database->open()->exec(
            'CREATE TABLE IF NOT EXISTS notes (id INT AUTO_INCREMENT PRIMARY KEY, text VARCHAR(1000) NOT NULL) CHARACTER SET utf8mb4',
        );
    } catch (PDOException $error) {
        // The worker starts all the same: the database may be there by its first request.
        error_log("worker $workerId has no database yet: {$error->getMessage()}");
    }
});

$server->on('Request', function (Request $request, Response $response) use ($server, $database) {
    $response->header('Content-Type', 'application/json');
    try {
        switch ($request->getMethod() . ' ' . $request->server['request_uri']) {
            case 'GET /notes':
                $notes = $database->read(fn(PDO $pdo) => $pdo->query('SELECT id, text FROM notes ORDER BY id')->fetchAll());
                $response->end(json_encode($notes));
                break;
            case 'POST /notes':
                $text = $request->post['text'] ?? '';
                if (!is_string($text) || $text === '') {
                    $response->status(400);
                    $response->end('{"error":"Send a text."}');
                    break;
                }
                $id = $database->write(function (PDO $pdo) use ($text): int {
                    $pdo->prepare('INSERT INTO notes (text) VALUES (?)')->execute([$text]);
                    return (int) $pdo->lastInsertId();
                });
                $response->status(201);
                $response->end(json_encode(['id' => $id]));
                break;
            case 'GET /connection':
                $id = $database->read(fn(PDO $pdo) => $pdo->query('SELECT CONNECTION_ID()')->fetchColumn());
                $response->end(json_encode(['worker' => $server->worker_id, 'connection' => (int) $id]));
                break;
            default:
                $response->status(404);
                $response->end('{"error":"There is nothing here."}');
        }
    } catch (PDOException $error) {
        error_log("{$request->server['request_uri']}: {$error->getMessage()}");
        $response->status(503);
        $response->header('Retry-After', '1');
        $response->end('{"error":"The database does not answer."}');
    }
});

$server->start();
