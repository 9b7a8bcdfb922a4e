@extends('base')
@section('content')
{{ $greeting }} {{ $name }} at {{ request()->getRequestUri() }}
@endsection
