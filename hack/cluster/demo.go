package main

import "context"

func (c *cluster) operatorAndDemo(ctx context.Context) error { return nil }
func (c *cluster) projectImages(ctx context.Context) error   { return nil }
