<?php

declare(strict_types=1);

namespace Ferrite\SymfonyRuntime;

use Psr\Http\Server\RequestHandlerInterface;
use Symfony\Component\Console\Application;
use Symfony\Component\Console\Command\Command;
use Symfony\Component\HttpFoundation\Response;
use Symfony\Component\HttpKernel\HttpKernelInterface;
use Symfony\Component\Runtime\RunnerInterface;
use Symfony\Component\Runtime\SymfonyRuntime;

/**
 * Serves the application that public/index.php returns, when that is started from the command line:
 *
 *     APP_RUNTIME='Ferrite\SymfonyRuntime\Runtime' php public/index.php
 *
 * Under any other SAPI it does what SymfonyRuntime does. Its options, in APP_RUNTIME_OPTIONS or in composer.json under
 * extra.runtime: `host`, `port`, `tls_port`, `ferrite` (options of the server), `psr17` (a list of PSR-17 factories). The
 * environment goes over the first three: FERRITE_HOST, FERRITE_PORT, FERRITE_TLS_PORT, and FERRITE_WORKERS.
 */
final class Runtime extends SymfonyRuntime
{
    private readonly ServerSettings $settings;
    /** @var list<object> */
    private readonly array $psr17;

    /** @param array<string, mixed> $options */
    public function __construct(array $options = [])
    {
        $this->settings = ServerSettings::from($options);
        $this->psr17 = $options['psr17'] ?? [];
        unset($options['host'], $options['port'], $options['tls_port'], $options['ferrite'], $options['psr17']);
        if (self::serves()) {
            // What is written for people is read in a browser, and the process outlives a request.
            $_SERVER['APP_RUNTIME_MODE'] ??= $_ENV['APP_RUNTIME_MODE'] ??= 'web=1&worker=1';
            $_SERVER['VAR_DUMPER_FORMAT'] ??= 'html';
        }
        parent::__construct($options);
    }

    public function getRunner(?object $application): RunnerInterface
    {
        $isConsole = $application instanceof Application || $application instanceof Command;
        if (!self::serves() || $isConsole || $application === null || $application instanceof RunnerInterface) {
            return parent::getRunner($application);
        }
        if ($application instanceof HttpKernelInterface) {
            return new Runner($this->settings, new KernelHandler($application));
        }
        if ($application instanceof Response) {
            return new Runner($this->settings, new CallableHandler(static fn (): Response => $application));
        }
        if ($application instanceof RequestHandlerInterface) {
            return new Runner($this->settings, Psr::handler($application, $this->psr17));
        }
        if (is_callable($application)) {
            return new Runner($this->settings, CallableHandler::for($application(...)));
        }
        return parent::getRunner($application);
    }

    private static function serves(): bool
    {
        return PHP_SAPI === 'cli' && extension_loaded('ferrite');
    }
}
